use crate::bench::Bench;
use rstest::rstest;

#[rstest]
#[case::tcp_ip("AT+NETOPEN", "AT+NETCLOSE")]
#[case::mms("AT+CMMSINIT", "AT+CMMSTERM")]
#[case::gps("AT+CGPS=1", "AT+CGPS=0")]
#[tokio::test(start_paused = true)]
async fn mail_waits_until_the_other_application_is_closed(#[case] open: &str, #[case] close: &str) {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench
        .ok("AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\"")
        .await;
    bench.ok(open).await;
    bench.error(open).await;
    bench.error("AT+SMTPSEND").await;
    bench.error("AT+POP3IN").await;
    bench.says("AT+SMTPSEND?", &["+SMTPSEND: 0", "OK"]).await;
    bench.ok(close).await;
    bench.error(close).await;
    bench.dte.send("AT+SMTPSEND\r").await;
    bench.accept().await;
}

#[rstest]
#[case("AT+NETOPEN")]
#[case("AT+CIPOPEN=0,\"TCP\",\"1.2.3.4\",80")]
#[case("AT+CMMSINIT")]
#[case("AT+CGPS=1")]
#[case("AT+CGPSINFO")]
#[tokio::test(start_paused = true)]
async fn the_others_wait_until_mail_is_sent(#[case] command: &str) {
    let mut bench = Bench::new();
    bench.configured_smtp().await;
    bench.dte.send("AT+SMTPSEND\r").await;
    let mut server = bench.accept().await;
    server.send("220 hello\r\n").await;
    bench.expect("AT+SMTPSEND", &["+SMTP: OK", "OK"]).await;
    bench.error(command).await;
    bench.ok("AT+SMTPSTOP").await;
    server.until("\r\n").await;
    server.closed().await;
}

#[tokio::test(start_paused = true)]
async fn links_need_an_open_network() {
    let mut bench = Bench::new();
    bench.error("AT+CIPOPEN=0,\"TCP\",\"1.2.3.4\",80").await;
    bench.ok("AT+NETOPEN").await;
    bench.ok("AT+CIPOPEN=0,\"TCP\",\"1.2.3.4\",80").await;
    bench.error("AT+CIPOPEN=0,\"TCP\",\"1.2.3.4\",80").await;
    bench.ok("AT+CIPCLOSE=0").await;
    bench.error("AT+CIPCLOSE=0").await;
    bench.says("AT+NETOPEN?", &["+NETOPEN: 1", "OK"]).await;
    bench.error("AT+CMMSEDIT=1").await;
    bench
        .says("AT+CGPSINFO", &["+CGPSINFO:,,,,,,,,", "OK"])
        .await;
}
