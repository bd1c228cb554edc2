use crate::bench::Bench;
use rstest::rstest;

#[rstest]
#[case::subject("AT+SMTPSUB=\"", 512, "\"")]
#[case::body("AT+SMTPBODY=\"", 5120, "\"")]
#[case::server("AT+SMTPSRV=\"", 128, "\"")]
#[case::user("AT+SMTPAUTH=1,\"", 128, "\",\"p\"")]
#[case::password("AT+SMTPAUTH=1,\"u\",\"", 128, "\"")]
#[case::sender("AT+SMTPFROM=\"", 128, "\"")]
#[case::sender_name("AT+SMTPFROM=\"a@b\",\"", 64, "\"")]
#[case::recipient("AT+SMTPRCPT=0,0,\"", 128, "\"")]
#[case::recipient_name("AT+SMTPRCPT=0,0,\"a@b\",\"", 64, "\"")]
#[case::mail_server("AT+POP3SRV=\"", 128, "\",\"u\",\"p\"")]
#[tokio::test(start_paused = true)]
async fn limits_are_exact(#[case] before: &str, #[case] limit: usize, #[case] after: &str) {
    let mut bench = Bench::new();
    bench
        .ok(&format!("{before}{}{after}", "x".repeat(limit)))
        .await;
    bench
        .error(&format!("{before}{}{after}", "x".repeat(limit + 1)))
        .await;
}

#[tokio::test(start_paused = true)]
async fn limits_are_settings() {
    let settings = [
        "echo=off",
        "limits.subject=3",
        "limits.recipients=1",
        "limits.attachments=2",
    ];
    let mut bench = Bench::with(&settings);
    bench.ok("AT+SMTPSUB=\"123\"").await;
    bench.error("AT+SMTPSUB=\"1234\"").await;
    bench
        .says("AT+SMTPRCPT=?", &["+SMTPRCPT: (0-2), (0-0)", "OK"])
        .await;
    bench.error("AT+SMTPRCPT=0,1,\"a@b\"").await;
    bench.error("AT+SMTPFILE=3,\"file1.txt\"").await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_body_of_escapes_fits_on_a_line() {
    let mut bench = Bench::new();
    let body = "\\22".repeat(5120);
    bench.ok(&format!("AT+SMTPBODY=\"{body}\"")).await;
    let answer = format!("+SMTPBODY: \"{body}\"");
    bench.says("AT+SMTPBODY?", &[&answer, "OK"]).await;
    bench.error(&format!("AT+SMTPBODY=\"{body}\\22\"")).await;
}

#[rstest]
#[case("storage.root", "C:")]
#[case("storage.card-root", "D:")]
#[tokio::test]
async fn a_drive_that_is_not_there_is_named(#[case] key: &str, #[case] drive: &str) {
    let mut settings = urcheck_device::Settings::default();
    settings.set(key, "/no/such/directory").unwrap();
    let dialer = std::sync::Arc::new(urcheck_device::net::TcpDialer);
    let error = urcheck_device::Module::new(settings, dialer).unwrap_err();
    let message = format!("failed to open /no/such/directory as drive {drive} of the module");
    assert_eq!(error.to_string(), message);
}
