use crate::bench::Bench;
use rstest::rstest;

/// Sends a dialogue to a fresh module: commands, and below each its blocks, indented; the result
/// code is `OK` where nothing else is said.
async fn replay(dialogue: &str) {
    let mut bench = Bench::new();
    let mut lines = dialogue
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .peekable();
    while let Some(command) = lines.next() {
        let mut blocks = Vec::new();
        while let Some(block) = lines.next_if(|line| line.starts_with(' ')) {
            blocks.push(block.trim_start());
        }
        if blocks.last() != Some(&"ERROR") {
            blocks.push("OK");
        }
        bench.says(command, &blocks).await;
    }
}

#[rstest]
#[case::server(
    r#"
AT+SMTPSRV=?
 +SMTPSRV: (1-65535)
AT+SMTPSRV?
 +SMTPSRV: "", 25
AT+SMTPSRV="smtp.server.com",587
AT+SMTPSRV?
 +SMTPSRV: "smtp.server.com", 587
AT+SMTPSRV="other"
AT+SMTPSRV?
 +SMTPSRV: "other", 25
AT+SMTPSRV=""
 ERROR
AT+SMTPSRV="a",0
 ERROR
AT+SMTPSRV="a",65536
 ERROR
AT+SMTPSRV="a",25,1
 ERROR
AT+SMTPSRV=a
 ERROR
AT+SMTPSRV=
 ERROR
AT+SMTPSRV?
 +SMTPSRV: "other", 25
AT+SMTPSRV
AT+SMTPSRV?
 +SMTPSRV: "", 25
"#
)]
#[case::authentication(
    r#"
AT+SMTPAUTH=?
 +SMTPAUTH: (0,1)
AT+SMTPAUTH?
 +SMTPAUTH: 0, "", ""
AT+SMTPAUTH=1,"un","pwd"
AT+SMTPAUTH?
 +SMTPAUTH: 1, "un", "pwd"
AT+SMTPAUTH=1
 ERROR
AT+SMTPAUTH=1,"un"
 ERROR
AT+SMTPAUTH=1,"","pwd"
 ERROR
AT+SMTPAUTH=2,"un","pwd"
 ERROR
AT+SMTPAUTH=0,"un","pwd"
 ERROR
AT+SMTPAUTH?
 +SMTPAUTH: 1, "un", "pwd"
AT+SMTPAUTH=0
AT+SMTPAUTH?
 +SMTPAUTH: 0, "", ""
AT+SMTPAUTH=1,"un","pwd"
AT+SMTPAUTH
AT+SMTPAUTH?
 +SMTPAUTH: 0, "", ""
"#
)]
#[case::sender(
    r#"
AT+SMTPFROM=?
AT+SMTPFROM?
 +SMTPFROM: "", ""
AT+SMTPFROM="mike@server.com","mike"
AT+SMTPFROM?
 +SMTPFROM: "mike@server.com", "mike"
AT+SMTPFROM="mike@server.com"
AT+SMTPFROM?
 +SMTPFROM: "mike@server.com", ""
AT+SMTPFROM=""
 ERROR
AT+SMTPFROM="a b@c"
 ERROR
AT+SMTPFROM="a@b>\0D\0ADATA"
 ERROR
AT+SMTPFROM
AT+SMTPFROM?
 +SMTPFROM: "", ""
"#
)]
#[case::recipients(
    r#"
AT+SMTPRCPT=?
 +SMTPRCPT: (0-2), (0-4)
AT+SMTPRCPT?
AT+SMTPRCPT=0,0,"toaddr@server.com","toname"
AT+SMTPRCPT=0, 4, "second@server.com"
AT+SMTPRCPT=1,0,"ccaddr@server.com","ccname"
AT+SMTPRCPT=2,0,"bccaddr@server.com","bccname"
"#
)]
#[case::recipient_values(
    r#"
AT+SMTPRCPT=3,0,"a@b"
 ERROR
AT+SMTPRCPT=0,5,"a@b"
 ERROR
AT+SMTPRCPT=0,,"a@b"
 ERROR
AT+SMTPRCPT=0,0,""
 ERROR
AT+SMTPRCPT=0,0,"a@b","n",1
 ERROR
AT+SMTPRCPT?
AT+SMTPRCPT=0,0,"a@b"
AT+SMTPRCPT=1,0,"c@d"
AT+SMTPRCPT=0,0
AT+SMTPRCPT?
 +SMTPRCPT: 1, 0, "c@d", ""
AT+SMTPRCPT=1
AT+SMTPRCPT?
AT+SMTPRCPT=2,1,"e@f"
AT+SMTPRCPT
AT+SMTPRCPT?
"#
)]
#[case::subject(
    r#"
AT+SMTPSUB=?
AT+SMTPSUB?
 +SMTPSUB: ""
AT+SMTPSUB="First email"
AT+SMTPSUB?
 +SMTPSUB: "First email"
AT+SMTPSUB="a\0D\0ABcc: x@y"
 ERROR
AT+SMTPSUB=First
 ERROR
AT+SMTPSUB={non-ascii}"C3A4"
AT+SMTPSUB?
 +SMTPSUB: {non-ascii}"C3A4"
AT+SMTPSUB
AT+SMTPSUB?
 +SMTPSUB: ""
"#
)]
#[case::body(
    r#"
AT+SMTPBODY=?
AT+SMTPBODY?
 +SMTPBODY: ""
AT+SMTPBODY="This is the first email!"
AT+SMTPBODY?
 +SMTPBODY: "This is the first email!"
AT+SMTPBODY="a\0D\0Ab"
AT+SMTPBODY?
 +SMTPBODY: "a\0D\0Ab"
AT+SMTPBODY="\00"
 ERROR
"#
)]
#[case::attachments(
    r#"
AT+SMTPFILE=?
 +SMTPFILE: (1-10)
AT+SMTPFILE?
AT+SMTPFILE=1,"file1.txt"
AT+SMTPFILE=1,"file1.txt"
AT+SMTPFILE=2,"file1.txt"
 ERROR
AT+SMTPFILE=0,"file2.txt"
 ERROR
AT+SMTPFILE=11,"file2.txt"
 ERROR
AT+SMTPFILE=2,"missing.txt"
 ERROR
AT+SMTPFILE=2,"Picture"
 ERROR
AT+SMTPFILE=2,"Picture/20100202_100006.jpg"
 ERROR
AT+SMTPFILE=2,"../../etc/passwd"
 ERROR
AT+SMTPFILE=10,"file10.txt"
AT+SMTPFILE=1
AT+SMTPFILE?
 +SMTPFILE: 10, "C:/file10.txt", 65
AT+SMTPFILE
AT+SMTPFILE?
"#
)]
#[case::sending(
    r#"
AT+SMTPSEND=?
AT+SMTPSEND?
 +SMTPSEND: 0
AT+SMTPSEND
 +SMTP: PARAM ERROR
 ERROR
AT+SMTPSEND=1
 ERROR
AT+SMTPSTOP=?
AT+SMTPSTOP?
 ERROR
AT+SMTPSTOP
 ERROR
"#
)]
#[case::mandatory_parameters(
    r#"
AT+SMTPSRV="smtp.server.com"
AT+SMTPSEND
 +SMTP: PARAM ERROR
 ERROR
AT+SMTPFROM="a@b"
AT+SMTPSEND
 +SMTP: PARAM ERROR
 ERROR
AT+SMTPRCPT=2,4,"c@d"
AT+SMTPSRV
AT+SMTPSEND
 +SMTP: PARAM ERROR
 ERROR
"#
)]
#[case::no_socket_context(
    r#"
AT+SMTPSRV="smtp.server.com"
AT+SMTPFROM="a@b"
AT+SMTPRCPT=0,0,"c@d"
AT+CGSOCKCONT=1
AT+SMTPSEND
 +SMTP: NETWORK ERROR
 ERROR
AT+POP3SRV="pop3.server.com","un","pwd"
AT+POP3IN
 +POP3: NETWORK ERROR
 ERROR
"#
)]
#[case::mail_server(
    r#"
AT+POP3SRV=?
 +POP3SRV: (1-65535)
AT+POP3SRV?
 +POP3SRV: "", "", "", 110
AT+POP3SRV="pop3.server.com","un","pwd",995
AT+POP3SRV?
 +POP3SRV: "pop3.server.com", "un", "pwd", 995
AT+POP3SRV="pop3.server.com","un",""
AT+POP3SRV?
 +POP3SRV: "pop3.server.com", "un", "", 110
AT+POP3SRV="pop3.server.com"
 ERROR
AT+POP3SRV="pop3.server.com","un"
 ERROR
AT+POP3SRV="","un","pwd"
 ERROR
AT+POP3SRV="pop3.server.com","un\0D\0ADELE 1","pwd"
 ERROR
AT+POP3SRV
AT+POP3SRV?
 +POP3SRV: "", "", "", 110
"#
)]
#[case::logged_out(
    r#"
AT+POP3IN=?
AT+POP3IN?
 +POP3IN: NULL
AT+POP3IN
 ERROR
AT+POP3NUM=?
AT+POP3NUM
 ERROR
AT+POP3LIST=?
AT+POP3LIST
 ERROR
AT+POP3LIST=1
 ERROR
AT+POP3HDR=?
AT+POP3HDR
 ERROR
AT+POP3HDR=1
 ERROR
AT+POP3GET=?
AT+POP3GET=1
 ERROR
AT+POP3DEL=?
AT+POP3DEL=1
 ERROR
AT+POP3OUT=?
AT+POP3OUT
 ERROR
AT+POP3STOP=?
AT+POP3STOP
 ERROR
AT+POP3READ=?
AT+POP3READ
 ERROR
AT+POP3READ=0,"100202110457/EMAIL000.TXT"
 ERROR
AT+POP3READ=0,"../file1.txt"
 ERROR
"#
)]
#[case::identity(
    r#"
AT+CGMI
 SIMCOM INCORPORATED
AT+CGMM
 SIMCOM_SIM5360E
AT+CGMM=?
AT+CGSN
 351602000330570
AT+CGMI?
 ERROR
"#
)]
#[case::network(
    r#"
AT+CPIN?
 +CPIN: READY
AT+CPIN="0000"
 ERROR
AT+CREG=?
 +CREG: (0-1)
AT+CREG?
 +CREG: 0,1
AT+CREG=1
AT+CREG?
 +CREG: 1,1
AT+CREG=9
 ERROR
AT+CGREG?
 +CGREG: 0,1
AT+CGREG=1
AT+CGATT=?
 +CGATT: (0,1)
AT+CGATT?
 +CGATT: 1
AT+CGATT=1
AT+CGATT=0
 +CGREG: 0
AT+CGATT=0
AT+CGATT?
 +CGATT: 0
AT+CGREG?
 +CGREG: 1,0
AT+CREG?
 +CREG: 1,1
AT+CGATT=1
 +CGREG: 1
AT+CGREG=0
AT+CGATT=0
AT+CGATT=1
AT+CGATT=2
 ERROR
AT+CGATT=
 ERROR
AT+CGATT=1,1
 ERROR
AT+CGATT
 ERROR
AT+CSQ
 +CSQ: 21,99
AT+CSQ=?
 +CSQ: (0-31,99),(0-7,99)
"#
)]
#[case::contexts(
    r#"
AT+CGSOCKCONT?
 +CGSOCKCONT: 1,"IP","","0.0.0.0",0,0
AT+CGSOCKCONT=1,"IP","3GNET","0.0.0.0",0,0
AT+CGSOCKCONT?
 +CGSOCKCONT: 1,"IP","3GNET","0.0.0.0",0,0
AT+CGSOCKCONT=17,"IP"
 ERROR
AT+CGSOCKCONT=1,"X25"
 ERROR
AT+CGSOCKCONT=1
AT+CGSOCKCONT?
AT+CSOCKSETPN=?
 +CSOCKSETPN: (1-16)
AT+CSOCKSETPN=2
AT+CSOCKSETPN?
 +CSOCKSETPN: 2
AT+CSOCKSETPN
AT+CSOCKSETPN?
 +CSOCKSETPN: 1
AT+CSOCKAUTH=1,1,"pwd","un"
 ERROR
AT+CGSOCKCONT=1,"IP","CMNET"
AT+CSOCKAUTH=1,1,"pwd","un"
AT+CSOCKAUTH?
 +CSOCKAUTH: 1,1
"#
)]
#[case::error_style(
    r#"
AT+CMEE=?
 +CMEE: (0-2)
AT+CMEE?
 +CMEE: 0
AT+CMEE=2
AT+CMEE?
 +CMEE: 2
AT+CMEE
AT+CMEE?
 +CMEE: 0
AT+CMEE=3
 ERROR
"#
)]
#[case::clock(
    r#"
AT+CCLK=?
AT+CCLK?
 +CCLK: "10/02/02,11:04:00+32"
AT+CCLK="14/02/21,08:00:00-20"
AT+CCLK?
 +CCLK: "14/02/21,08:00:00-20"
AT+CCLK="14/02/22,09:00:00"
AT+CCLK?
 +CCLK: "14/02/22,09:00:00-20"
AT+CCLK="14/02/30,09:00:00"
 ERROR
AT+CCLK=14
 ERROR
"#
)]
#[tokio::test(start_paused = true)]
async fn every_form_of_every_command(#[case] dialogue: &str) {
    replay(dialogue).await;
}

#[tokio::test(start_paused = true)]
async fn all_recipients_are_read_in_one_block() {
    let mut bench = Bench::new();
    bench.ok("AT+SMTPRCPT=2,0,\"b@x\"").await;
    bench.ok("AT+SMTPRCPT=0,1,\"a@x\",\"A\"").await;
    let block = "+SMTPRCPT: 0, 1, \"a@x\", \"A\"\n+SMTPRCPT: 2, 0, \"b@x\", \"\"";
    bench.says("AT+SMTPRCPT?", &[block, "OK"]).await;
}

#[tokio::test(start_paused = true)]
async fn identification_is_one_block() {
    let mut bench = Bench::new();
    let version = env!("CARGO_PKG_VERSION");
    let block = format!(
        "Manufacturer: SIMCOM INCORPORATED\nModel: SIMCOM_SIM5360E\n\
         Revision: URCHECK_REFERENCE_{version}\nIMEI: 351602000330570"
    );
    bench.says("ATI", &[&block, "OK"]).await;
}
