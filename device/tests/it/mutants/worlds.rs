//! The worlds that mutants and variants are observed in.

use super::world::World;

macro_rules! smtp {
    ($($more:expr),* $(,)?) => {
        &[
            "AT+SMTPSRV=\"smtp.server.com\",25",
            "AT+SMTPFROM=\"me@server.com\",\"Me\"",
            "AT+SMTPRCPT=0,0,\"To@server.com\",\"ToName\"",
            "AT+SMTPSUB=\"First\"",
            "AT+SMTPBODY=\"The first mail\"",
            $($more),*
        ]
    };
}

macro_rules! pop3 {
    ($($more:expr),* $(,)?) => {
        &["AT+POP3SRV=\"pop3.server.com\",\"Un\",\"pass word\",110", $($more),*]
    };
}

pub(super) const fn smtp(
    name: &'static str,
    answers: &'static [(&'static str, &'static str)],
    script: &'static [&'static str],
) -> World {
    World {
        name,
        settings: &["echo=off"],
        answers,
        script,
    }
}

pub(crate) const WORLDS: &[World] = &[
    World {
        name: "command lines",
        settings: &["limits.command-line=2000", "limits.subject=2000"],
        answers: &[],
        script: &[
            "AT",
            "at+csq",
            "ATE0",
            "AT",
            "AT+SMTPSUB=\"a;b, c d\"",
            "AT+SMTPSUB?",
            "AT+SMTPSUB=\"one\";+SMTPBODY=\"Two words\"",
            "AT+SMTPSUB?;+SMTPBODY?",
            "AT+NOSUCH",
            "AT+NOSUCH;+SMTPSUB?",
            "AT+SMTPSUB=\"open",
            "AT+SMTPSUB=5",
            "AT+SMTPSUB?",
            "AT+SMTPSRV=",
            "AT+SMTPAUTH=\"1\",\"u\",\"p\"",
            "AT+SMTPSRV=\"h\",65561",
            "AT+POP3LIST=1,2",
            "AT+POP3SRV=\"h\",\"u\",\"p\",110,5",
            "AT+SMTPFROM=\"a@b\"",
            "AT+SMTPRCPT=0,1,\"a@b\"",
            "AT+SMTPSUB=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
            "AT+SMTPSEND",
        ],
    },
    World {
        name: "limits",
        settings: &[
            "echo=off",
            "limits.subject=8",
            "limits.body=8",
            "limits.attachments=2",
            "limits.attachments-total=100",
            "limits.command-line=40",
        ],
        answers: &[],
        script: &[
            "AT+SMTPSUB=\"12345678\"",
            "AT+SMTPSUB=\"123456789\"",
            "AT+SMTPBODY=\"12345678\"",
            "AT+SMTPFILE=2,\"file1.txt\"",
            "AT+SMTPRCPT=0,1,\"a@b\"",
            "AT+SMTPSUB=\"1234567890123456789012345678901234567890\"",
            "AT",
        ],
    },
    smtp(
        "file commands",
        &[],
        &[
            "AT+FSCD=C:/Picture",
            "AT+FSLS",
            "AT+SMTPFILE=1,\"20100202_100006.jpg\"",
            "AT+SMTPFILE=2,\"20100202_100016.jpg\"",
            "AT+SMTPFILE=1",
            "AT+SMTPFILE?",
            "AT+SMTPFILE",
            "AT+SMTPFILE?",
            "AT+FSCD=..",
            "AT+FSLS",
            "AT+FSLOCA=0",
        ],
    ),
    World {
        name: "a whole mail",
        settings: &[],
        answers: &[],
        script: smtp![
            "AT+SMTPAUTH=1,\"x\",\"y\"",
            "AT+SMTPAUTH=1,\"un\",\"pass word\"",
            "AT+SMTPRCPT=0,0,\"Other@server.com\",\"ToName\"",
            "AT+SMTPRCPT=0,1,\"Second@server.com\"",
            "AT+SMTPRCPT=1,0,\"Cc@server.com\",\"CcName\"",
            "AT+SMTPRCPT=2,0,\"Bcc@server.com\",\"BccName\"",
            "AT+SMTPSUB=\"A subject\\0D\\0AX-Field: 1\"",
            "AT+SMTPBODY=\"One\\0D\\0A.\\0D\\0A.two\\0D\\0A\\0D\\0A...\\0D\\0Athe end\"",
            "AT+FSCD=C:/Picture",
            "AT+SMTPFILE=1,\"20100202_100006.jpg\"",
            "AT+SMTPFILE=2,\"20100202_100016.jpg\"",
            "AT+SMTPSEND",
            "~10s",
            "AT+SMTPSEND?",
            "AT",
            "AT+SMTPRCPT=0,0,\"To@server.com\"",
            "AT+SMTPSUB=\"Second\"",
            "AT+SMTPBODY=\"Next\"",
            "AT+SMTPSEND",
            "~150s",
            "AT+SMTPSEND?",
            "AT+SMTPSEND",
        ],
    },
    smtp(
        "long texts",
        &[],
        smtp![
            "AT+SMTPSUB=\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\"",
            "AT+SMTPBODY=\"0123456789\"",
            "AT+SMTPBODY",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x1a",
            "AT+SMTPSEND",
            "~5s",
        ],
    ),
    smtp(
        "not ASCII",
        &[],
        smtp![
            "AT+SMTPSRV=\"smtp.server.com\",26",
            "AT+SMTPSUB={non-ascii}\"C3A4\"",
            "AT+SMTPBODY=\"One line and another, with a blank at the end \"",
            "AT+SMTPSEND",
        ],
    ),
    smtp(
        "recipients cleared",
        &[],
        smtp![
            "AT+SMTPRCPT=0,1,\"Second@server.com\"",
            "AT+SMTPRCPT=1,0,\"Cc@server.com\"",
            "AT+SMTPRCPT=0,0",
            "AT+SMTPRCPT?",
            "AT+SMTPRCPT=0,0,\"To@server.com\"",
            "AT+SMTPRCPT=0",
            "AT+SMTPRCPT?",
            "AT+SMTPRCPT=0,0,\"To@server.com\"",
            "AT+SMTPRCPT=1",
            "AT+SMTPRCPT?",
            "AT+SMTPAUTH=1,\"un\",\"pass\"",
            "AT+SMTPAUTH=0",
            "AT+SMTPSEND",
            "AT+SMTPFROM",
            "AT+SMTPRCPT=0,0,\"To@server.com\"",
            "AT+SMTPSEND",
        ],
    ),
    smtp(
        "only LOGIN",
        &[("EHLO", "250-x\r\n250 AUTH LOGIN\r\n")],
        smtp![
            "AT+SMTPAUTH=1,\"un\",\"password that is long\"",
            "AT+SMTPSEND",
            "~5s",
        ],
    ),
    smtp(
        "wrong credentials",
        &[("dW4g", "535 no\r\n")],
        smtp!["AT+SMTPAUTH=1,\"un\",\"pass\"", "AT+SMTPSEND", "~5s",],
    ),
    smtp(
        "authentication required",
        &[("MAIL", "530 no\r\n")],
        smtp!["AT+SMTPSEND", "~5s"],
    ),
    smtp(
        "recipient refused",
        &[("RCPT TO:<Second", "550 OK\r\n")],
        smtp![
            "AT+SMTPRCPT=0,1,\"Second@server.com\"",
            "AT+SMTPSEND",
            "~5s",
        ],
    ),
    smtp(
        "greeting refused",
        &[("", "554 no\r\nFIN")],
        smtp!["AT+SMTPSEND", "~100s", "AT"],
    ),
    smtp(
        "greeting of two lines",
        &[("", "220-one\r\n220 two\r\n")],
        smtp!["AT+SMTPSEND"],
    ),
    smtp(
        "greeting in pieces",
        &[("", "22|0 hel|lo\r|\n")],
        smtp!["AT+SMTPSEND"],
    ),
    smtp("no greeting", &[("", "")], smtp!["AT+SMTPSEND", "~200s"]),
    smtp("no EHLO", &[("EHLO", "502 no\r\n")], smtp!["AT+SMTPSEND"]),
    smtp(
        "message refused before",
        &[("DATA", "554 no\r\n")],
        smtp!["AT+SMTPSEND", "~5s"],
    ),
    smtp(
        "message refused after",
        &[(".", "554 no\r\n")],
        smtp!["AT+SMTPSEND", "~5s", "AT"],
    ),
    smtp(
        "trouble after",
        &[(".", "451 no\r\n")],
        smtp!["AT+SMTPSEND", "~5s", "AT+SMTPSEND"],
    ),
    smtp("silence after", &[(".", "")], smtp!["AT+SMTPSEND", "~100s"]),
    smtp("loss after", &[(".", "FIN")], smtp!["AT+SMTPSEND", "~5s"]),
    smtp(
        "two lines after",
        &[(".", "250-one\r\n250 two\r\n")],
        smtp!["AT+SMTPSEND", "~5s"],
    ),
    smtp(
        "QUIT refused",
        &[("QUIT", "500 no\r\nFIN")],
        smtp!["AT+SMTPSEND", "~5s"],
    ),
    smtp(
        "late replies",
        &[("", "~20s 220 x\r\n"), ("EHLO", "~20s 250 x\r\n")],
        smtp!["AT+SMTPSEND", "~60s"],
    ),
    smtp(
        "refused",
        &[],
        smtp!["AT+SMTPSRV=\"h\",1", "AT+SMTPSEND", "~100s"],
    ),
    smtp(
        "black hole",
        &[],
        smtp!["AT+SMTPSRV=\"h\",2", "AT+SMTPSEND", "~200s"],
    ),
    smtp(
        "no network",
        &[],
        smtp!["AT+CGSOCKCONT=1", "AT+SMTPSEND", "AT+POP3IN"],
    ),
    smtp(
        "another at once",
        &[(".", "~10s 250 OK\r\n")],
        smtp![
            "AT+SMTPSEND",
            "AT+SMTPSEND",
            "AT+SMTPSEND?",
            "AT+CFTRANTX=\"C:/file1.txt\"",
            "~20s",
        ],
    ),
    smtp(
        "stopped",
        &[(".", "~10s 250 OK\r\n")],
        smtp!["AT+SMTPSEND", "AT+SMTPSTOP", "AT", "AT+SMTPSEND?", "~60s",],
    ),
    smtp(
        "while typing",
        &[(".", "~5s 250 OK\r\n")],
        smtp![
            "AT+SMTPSEND",
            "~1s",
            "AT+CFTRANRX=\"C:/new.txt\",40",
            "12345678901234567890",
            "~10s",
            "12345678901234567890",
            "~10s",
        ],
    ),
    smtp(
        "mailbox",
        &[],
        pop3![
            "AT+POP3IN",
            "AT+POP3NUM",
            "AT+POP3LIST",
            "AT+POP3LIST=2",
            "AT+POP3LIST=65537",
            "AT+POP3HDR=1",
            "AT+POP3HDR=2",
            "AT+POP3GET=2",
            "AT+POP3GET=1",
            "AT+POP3READ",
            "AT+POP3READ=0,\"100202110416/EMAIL000.TXT\"",
            "AT+POP3DEL=1",
            "AT+POP3DEL=9",
            "AT+POP3NUM",
            "AT+FSCD=C:/Email",
            "AT+FSLS",
            "AT+FSCD=C:/Email/100202110418",
            "AT+FSLS",
            "AT+CFTRANTX=\"C:/Email/100202110418/a.txt\"",
            "AT+FSCD=C:/",
            "AT+FSLS",
            "AT+POP3OUT",
            "~120s",
            "AT+POP3IN",
            "AT+POP3OUT",
        ],
    ),
    smtp(
        "files of mails",
        &[],
        pop3![
            "AT+POP3IN",
            "AT+FSLOCA=1",
            "AT+POP3GET=1",
            "AT+CCLK=\"10/02/02,11:04:00\";+POP3GET=1",
            "AT+CCLK=\"10/02/02,11:04:00\";+POP3GET=2",
            "AT+FSLS",
            "AT+FSCD=D:/Email",
            "AT+FSLS",
            "AT+POP3OUT",
        ],
    ),
    smtp(
        "two accounts",
        &[("", "+OK hi <1.2@host>\r\n")],
        pop3![
            "AT+POP3SRV=\"other.server.com\",\"Un\",\"pass word\",111",
            "AT+POP3IN",
            "AT+POP3OUT",
            "~70s",
        ],
    ),
    smtp(
        "APOP refused",
        &[("", "+OK hi <1.2@host>\r\n"), ("APOP", "-ERR no\r\n")],
        pop3!["AT+POP3IN", "AT+POP3OUT"],
    ),
    smtp(
        "user refused",
        &[("USER", "-ERR no\r\n")],
        pop3!["AT+POP3IN", "~5s", "AT+POP3IN"],
    ),
    smtp(
        "password refused",
        &[("PASS", "-ERR no\r\n")],
        pop3!["AT+POP3IN", "~5s", "AT+POP3IN"],
    ),
    smtp(
        "POP3 refused",
        &[],
        pop3!["AT+POP3SRV=\"h\",\"u\",\"p\",1", "AT+POP3IN"],
    ),
    smtp(
        "POP3 black hole",
        &[],
        pop3!["AT+POP3SRV=\"h\",\"u\",\"p\",2", "AT+POP3IN", "~200s"],
    ),
    smtp(
        "POP3 silence",
        &[("STAT", "")],
        pop3!["AT+POP3IN", "AT+POP3NUM", "~200s"],
    ),
    smtp(
        "POP3 garbage",
        &[("STAT", "2 320\r\n")],
        pop3!["AT+POP3IN", "AT+POP3NUM"],
    ),
    smtp(
        "many mails",
        &[("STAT", "+OK 300 90000\r\n")],
        pop3!["AT+POP3IN", "AT+POP3NUM"],
    ),
    smtp(
        "POP3 in pieces",
        &[("STAT", "+OK 2 2|134\r\n")],
        pop3!["AT+POP3IN", "AT+POP3NUM"],
    ),
    smtp(
        "a slow mail",
        &[("RETR", "+OK\r\n~FIN")],
        pop3!["AT+POP3IN", "AT+POP3GET=1", "~100s"],
    ),
    smtp(
        "half a mail",
        &[("RETR", "+OK\r\nFrom: a@b\r\n\r\nThe first haFIN")],
        pop3![
            "AT+POP3IN",
            "AT+POP3GET=1",
            "~5s",
            "AT+FSCD=C:/Email",
            "AT+FSLS"
        ],
    ),
    smtp(
        "a stalled mail",
        &[("RETR", "~40s +OK\r\n\r\n.\r\n")],
        pop3!["AT+POP3IN", "AT+POP3GET=1", "~200s",],
    ),
    smtp(
        "a steady mail",
        &[("RETR", "~20s +OK\r\n"), ("NOOP", "")],
        pop3!["AT+POP3IN", "AT+POP3GET=1", "~200s",],
    ),
    World {
        name: "a full drive",
        settings: &["echo=off", "storage.free=400"],
        answers: &[],
        script: pop3!["AT+POP3IN", "AT+POP3GET=1", "AT+POP3NUM", "~70s"],
    },
    smtp(
        "a wrong ID",
        &[],
        pop3![
            "AT+POP3IN",
            "AT+POP3GET=7",
            "AT+POP3NUM",
            "AT+POP3DEL=1",
            "AT+POP3STOP",
            "AT+POP3NUM",
            "AT+POP3IN",
            "~70s",
        ],
    ),
    smtp(
        "stopped in a transfer",
        &[("RETR", "~20s +OK\r\n\r\n.\r\n")],
        pop3!["AT+POP3IN", "AT+POP3GET=1", "AT+POP3STOP", "AT", "~70s",],
    ),
];
