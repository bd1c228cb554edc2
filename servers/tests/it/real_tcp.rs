//! Every fault on real sockets, seen by a client that knows nothing but octets.

use rstest::rstest;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use urcheck_servers::engine::Service;
use urcheck_servers::event::{EventKind, EventSink};
use urcheck_servers::net::TcpPort;
use urcheck_servers::pop3::Pop3;
use urcheck_servers::server::Server;
use urcheck_servers::smtp::Smtp;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a real port of its own.
struct Real<P: Service> {
    server: Server<P>,
    port: TcpPort,
    events: Arc<Mutex<Vec<EventKind>>>,
    stop: Option<DropGuard>,
}

impl<P: Service> Real<P>
where
    P::Setup: serde::de::DeserializeOwned,
{
    fn new(faults: Value) -> Self {
        let port = TcpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self::on(port, faults)
    }

    fn on(port: TcpPort, faults: Value) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let sink: EventSink = Arc::new(move |event| seen.lock().unwrap().push(event.kind));
        let setup = serde_json::from_value(json!({"fault": faults})).unwrap();
        let server = Server::<P>::new(setup, sink).unwrap();
        let mut listener = port.listener().unwrap();
        let stop = CancellationToken::new();
        let (serving, stopping) = (server.clone(), stop.clone());
        tokio::spawn(async move { serving.serve(&mut listener, stopping).await });
        Self {
            server,
            port,
            events,
            stop: Some(stop.drop_guard()),
        }
    }

    fn address(&self) -> SocketAddr {
        self.port.local_addr()
    }

    /// Waits until the server has noted this.
    async fn noted(&self, text: &str) {
        let noted = async {
            let has = |kind: &EventKind| matches!(kind, EventKind::Note(note) if note == text);
            while !self.events.lock().unwrap().iter().any(has) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, noted).await.expect(text);
    }

    async fn fired(&self, times: &[u32]) {
        let fired = async {
            while self.server.fired() != times {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, fired).await.unwrap();
    }

    /// Turns rules on or off, and waits until the port is as it should be.
    async fn turn(&self, state: &str, name: &str, noted: &str) {
        self.events.lock().unwrap().clear();
        self.server.act(&["fault", state, name]).unwrap();
        if !noted.is_empty() {
            self.noted(noted).await;
        }
    }
}

const REFUSED: &str = "every attempt to connect is refused";
const UNANSWERED: &str = "no attempt to connect is answered";

async fn line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let read = async {
        while !line.ends_with(b"\n") {
            line.push(stream.read_u8().await.unwrap());
        }
    };
    timeout(PATIENCE, read).await.unwrap();
    String::from_utf8(line).unwrap()
}

/// Everything that comes, read by read, and how it ends: `Err(TimedOut)` if it stays open.
async fn heard(stream: &mut TcpStream, patience: Duration) -> (Vec<String>, Result<(), ErrorKind>) {
    let mut reads = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let end = match timeout(patience, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(read)) => {
                reads.push(String::from_utf8_lossy(&buffer[..read]).into_owned());
                continue;
            }
            Ok(Err(error)) => Err(error.kind()),
            Err(_) => Err(ErrorKind::TimedOut),
        };
        return (reads, end);
    }
}

const RESET: Result<(), ErrorKind> = Err(ErrorKind::ConnectionReset);
const OPEN: Result<(), ErrorKind> = Err(ErrorKind::TimedOut);

#[rstest]
#[case::fin(json!({"do": "fin"}), &[], Ok(()))]
#[case::fin_with_words(json!({"do": "fin", "raw": "bye\r\n"}), &["bye\r\n"], Ok(()))]
#[case::rst(json!({"do": "rst"}), &[], RESET)]
#[case::rst_inside_a_line(json!({"do": "truncate", "bytes": 2, "then": "rst"}), &["OK"], RESET)]
#[case::half_close(json!({"do": "half-close"}), &[], Ok(()))]
#[case::stall(json!({"do": "stall"}), &[], OPEN)]
#[case::stop_reading(json!({"do": "stop-reading"}), &[], OPEN)]
#[case::swallow(json!({"do": "swallow"}), &[], OPEN)]
#[case::reply(json!({"do": "reply", "raw": "what\n", "then": "fin"}), &["what\n"], Ok(()))]
#[case::late(json!({"do": "delay", "delay": "50ms"}), &["OK\r\n"], OPEN)]
#[case::split(json!({"do": "split", "at": [1, 3], "gap": "60ms"}), &["O", "K\r", "\n"], OPEN)]
#[case::drip(json!({"do": "drip", "gap": "60ms"}), &["O", "K", "\r", "\n"], OPEN)]
#[case::inject(json!({"do": "inject", "raw": "more\r\n"}), &["OK\r\nmore\r\n"], OPEN)]
#[case::twice(json!({"do": "repeat", "then": "fin"}), &["OK\r\nOK\r\n"], Ok(()))]
#[case::twice_with_a_gap(json!({"do": "repeat", "gap": "60ms"}), &["OK\r\n", "OK\r\n"], OPEN)]
#[case::endless(json!({"do": "endless", "raw": "x", "bytes": 3, "then": "rst"}), &["xxx"], RESET)]
#[case::mutate(json!({"do": "mutate", "seed": 3}), &["O"], OPEN)]
#[tokio::test]
async fn of_a_reply(
    #[case] rule: Value,
    #[case] reads: &[&str],
    #[case] end: Result<(), ErrorKind>,
    #[values("smtp", "pop3")] protocol: &str,
) {
    let mut rule = rule;
    rule["when"] = "noop".into();
    // `split` and the like take their words from the rule, so that both protocols say the same.
    let bends = [
        "delay", "split", "drip", "inject", "truncate", "repeat", "mutate",
    ];
    let action = rule["do"].as_str().unwrap().to_owned();
    if bends.contains(&action.as_str())
        && !["delay", "inject", "truncate"].contains(&action.as_str())
    {
        rule["raw"] = "OK\r\n".into();
    }
    let mut wanted: Vec<String> = reads.iter().map(|read| (*read).to_owned()).collect();
    let (address, fired): (SocketAddr, Box<dyn Fn() -> Vec<u32>>);
    let _keep: Box<dyn std::any::Any>;
    let honest = if protocol == "smtp" {
        "250 2.0.0 OK\r\n"
    } else {
        "+OK\r\n"
    };
    if protocol == "smtp" {
        let real = Real::<Smtp>::new(json!([rule]));
        address = real.address();
        let server = real.server.clone();
        fired = Box::new(move || server.fired());
        _keep = Box::new(real);
    } else {
        let real = Real::<Pop3>::new(json!([rule]));
        address = real.address();
        let server = real.server.clone();
        fired = Box::new(move || server.fired());
        _keep = Box::new(real);
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    line(&mut stream).await;
    if protocol == "pop3" {
        // NOOP is a command of the TRANSACTION state.
        stream.write_all(b"USER un\r\n").await.unwrap();
        line(&mut stream).await;
        stream.write_all(b"PASS pwd\r\n").await.unwrap();
        line(&mut stream).await;
    }
    stream.write_all(b"NOOP\r\n").await.unwrap();
    let patience = if end == OPEN {
        Duration::from_millis(400)
    } else {
        PATIENCE
    };
    let (got, ended) = heard(&mut stream, patience).await;
    match action.as_str() {
        "delay" => wanted = vec![honest.to_owned()],
        "inject" => wanted = vec![format!("{honest}more\r\n")],
        "truncate" => wanted = vec![honest[..2].to_owned()],
        "mutate" => {
            assert_ne!(got.concat(), "OK\r\n");
            assert!(!got.concat().is_empty());
            wanted.clone_from(&got);
        }
        _ => {}
    }
    assert_eq!((got, ended), (wanted, end));
    assert_eq!(fired(), [1]);
}

#[rstest]
#[case::inside_a_reply(json!({"when": "sent", "after_bytes": 5, "do": "rst"}), "220 m", RESET)]
#[case::behind_it(json!({"when": "sent", "after_bytes": 29, "do": "fin"}), "220 mail.example.test ESMTP\r\n", Ok(()))]
#[case::at_connect(json!({"when": "connect", "do": "rst"}), "", RESET)]
#[case::after_the_first(json!({"when": "received", "after_bytes": 3, "do": "rst"}), "220 mail.example.test ESMTP\r\n", RESET)]
#[tokio::test]
async fn of_a_connection(
    #[case] rule: Value,
    #[case] said: &str,
    #[case] end: Result<(), ErrorKind>,
) {
    let real = Real::<Smtp>::new(json!([rule]));
    let mut stream = TcpStream::connect(real.address()).await.unwrap();
    // The server may have reset it by now.
    stream.write_all(b"NOO").await.ok();
    let (got, ended) = heard(&mut stream, PATIENCE).await;
    assert_eq!((got.concat().as_str(), ended), (said, end));
    assert_eq!(real.server.fired(), [1]);
}

#[tokio::test]
async fn a_half_closed_server_still_reads() {
    let real = Real::<Smtp>::new(json!([{"when": "noop", "do": "half-close"}]));
    let mut stream = TcpStream::connect(real.address()).await.unwrap();
    line(&mut stream).await;
    stream.write_all(b"NOOP\r\n").await.unwrap();
    assert_eq!(heard(&mut stream, PATIENCE).await, (Vec::new(), Ok(())));
    stream.write_all(b"still talking").await.unwrap();
    let seen = async {
        let has = |kind: &EventKind| matches!(kind, EventKind::FromClient { bytes, .. } if bytes == b"still talking");
        while !real.events.lock().unwrap().iter().any(has) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap();
}

#[tokio::test]
async fn connections_are_refused_by_the_system() {
    let real = Real::<Smtp>::new(json!([{"when": "connect", "do": "refuse", "name": "shut"}]));
    real.noted(REFUSED).await;
    let refused = TcpStream::connect(real.address()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    real.fired(&[1]).await;
    assert_eq!(real.server.view()["sessions"], json!([]));
    real.turn("off", "shut", "").await;
    let open = async {
        loop {
            if let Ok(stream) = TcpStream::connect(real.address()).await {
                return stream;
            }
        }
    };
    let mut stream = timeout(PATIENCE, open).await.unwrap();
    assert!(line(&mut stream).await.starts_with("220"));
    real.turn("on", "shut", REFUSED).await;
    let refused = TcpStream::connect(real.address()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // Who was there before stays.
    stream.write_all(b"NOOP\r\n").await.unwrap();
    assert!(line(&mut stream).await.starts_with("250"));
    real.fired(&[2]).await;
}

#[tokio::test]
async fn connections_are_swallowed_by_the_system_and_come_about_later() {
    let real = Real::<Pop3>::new(json!([
        {"when": "connect", "do": "black-hole", "name": "deaf", "off": true},
    ]));
    let mut before = TcpStream::connect(real.address()).await.unwrap();
    line(&mut before).await;
    real.turn("on", "deaf", UNANSWERED).await;
    let address = real.address();
    let connecting = tokio::spawn(async move { TcpStream::connect(address).await });
    real.fired(&[1]).await;
    let second = timeout(Duration::from_millis(300), TcpStream::connect(address)).await;
    assert!(second.is_err(), "{second:?}");
    assert!(!connecting.is_finished());
    before.write_all(b"QUIT\r\n").await.unwrap();
    assert!(line(&mut before).await.starts_with("+OK"));
    real.turn("off", "deaf", "").await;
    // The client's system tries again after 1 s, 3 s, 7 s.
    let mut late = timeout(PATIENCE, connecting)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(line(&mut late).await.starts_with("+OK"));
    assert_eq!(real.server.view()["sessions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_rule_with_a_condition_strikes_behind_the_accept() {
    let real = Real::<Smtp>::new(json!([
        {"when": "connect", "do": "refuse", "connection": 2},
    ]));
    let mut first = TcpStream::connect(real.address()).await.unwrap();
    assert!(line(&mut first).await.starts_with("220"));
    let mut second = TcpStream::connect(real.address()).await.unwrap();
    assert_eq!(heard(&mut second, PATIENCE).await, (Vec::new(), RESET));
    real.noted("this network cannot refuse: reset instead")
        .await;
    assert_eq!(real.server.fired(), [1]);
}

#[tokio::test]
async fn the_next_server_finds_the_port_open() {
    let mut shut = Real::<Smtp>::new(json!([{"when": "connect", "do": "refuse"}]));
    shut.noted(REFUSED).await;
    shut.stop = None;
    let next = Real::<Smtp>::on(shut.port, json!([]));
    let mut stream = TcpStream::connect(next.address()).await.unwrap();
    assert!(line(&mut stream).await.starts_with("220"));
}
