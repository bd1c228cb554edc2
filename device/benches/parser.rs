//! What the interpreter costs: command lines per second through a memory pipe, and the making of a
//! module, of which a run makes one for every case.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has failed"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use urcheck_device::net::TcpDialer;
use urcheck_device::{Module, Settings};

/// A mix of what a DTE types: basic commands, values of every kind, the three forms, several
/// commands in a line, errors. None of them needs a server.
const LINES: [&str; 16] = [
    "AT",
    "ATE0",
    "ATI",
    "AT+CMEE=2;+CREG?;+CSQ",
    "AT+CGSOCKCONT=1,\"IP\",\"3GNET\",\"0.0.0.0\",0,0",
    "AT+SMTPSRV=\"smtp.server.com\",25",
    "AT+SMTPAUTH=1,\"UserName\",\"password\"",
    "AT+SMTPFROM=\"UserName@server.com\",\"PresentName\"",
    "AT+SMTPRCPT=0,0,\"ToAddr@server.com\",\"ToName\"",
    "AT+SMTPSUB=\"First \\22Email\\22\"",
    "AT+SMTPBODY=\"This is the first Email!\"",
    "AT+SMTPRCPT?",
    "AT+POP3SRV=\"pop3.server.com\",\"un\",\"pwd\",110",
    "AT+POP3LIST=?",
    "AT+POP3NUM",
    "AT+NOTHING=1,2,3",
];

/// How often the mix is typed in one measured round.
const ROUNDS: usize = 64;

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn module() -> Module {
    Module::new(Settings::default(), Arc::new(TcpDialer)).expect("a module")
}

fn benchmark(criterion: &mut Criterion) {
    let runtime = runtime();
    let _entered = runtime.enter();
    let text = LINES
        .map(|line| format!("{line}\r"))
        .concat()
        .repeat(ROUNDS);

    let mut group = criterion.benchmark_group("interpreter");
    group.throughput(Throughput::Elements((LINES.len() * ROUNDS) as u64));
    group.bench_function("command-lines", |bencher| {
        let mut module = module();
        let mut answers = Vec::new();
        bencher.iter(|| {
            answers.clear();
            let (dte, line) = tokio::io::duplex(1 << 16);
            let (mut from, mut to) = tokio::io::split(dte);
            let typing = async {
                to.write_all(text.as_bytes()).await?;
                to.shutdown().await
            };
            runtime
                .block_on(async {
                    tokio::try_join!(typing, module.run(line), from.read_to_end(&mut answers))
                })
                .expect("the line holds");
            assert!(
                answers.ends_with(b"\r\nERROR\r\n"),
                "the last line is wrong"
            );
        });
    });
    group.finish();

    criterion.bench_function("module-new", |bencher| bencher.iter_with_large_drop(module));
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
