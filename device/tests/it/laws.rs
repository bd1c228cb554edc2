use crate::bench::Bench;
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(test)
}

/// Final result codes in what the module said.
fn results(answer: &str) -> usize {
    answer
        .split("\r\n")
        .filter(|line| matches!(*line, "OK" | "ERROR"))
        .count()
}

/// Parts of command lines, real ones and others; none that sends, or waits for octets.
fn part() -> impl Strategy<Value = String> {
    let values = "[0-9,\";=?A-Za-z:/.\\\\ {}-]{0,12}";
    prop_oneof![
        "[ -~]{0,10}",
        Just(";".to_owned()),
        (
            "\\+(SMTPSRV|SMTPAUTH|SMTPFROM|SMTPRCPT|SMTPSUB|SMTPFILE|POP3SRV|POP3LIST)=",
            values
        )
            .prop_map(|(name, values)| name + &values),
        "\\+(SMTPSUB|SMTPFILE|FSLS|FSCD|CCLK|CSQ|CMEE|CGSOCKCONT|POP3GET|SMTPSTOP)(|\\?|=\\?)",
        (
            "\\+(FSCD|FSMKDIR|FSRMDIR|FSDEL|FSRENAME|FSATTRI|FSLS|CCLK)=",
            values
        )
            .prop_map(|(name, values)| name + &values),
        "[XIZH]",
        "S[0-9]{1,2}\\?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_command_line_has_exactly_one_final_result(
        parts in prop::collection::vec(part(), 0..5),
    ) {
        let line = parts.concat();
        // What would change the framing that is counted here, or take octets, is left out.
        let upper = line.to_ascii_uppercase().replace(' ', "");
        prop_assume!(!["V", "Q", "&", "S3", "S03", "S4", "S04", "BODY", "CFTRANRX"]
            .iter()
            .any(|word| upper.contains(word)));
        let answer = in_virtual_time(async {
            let mut bench = Bench::new();
            bench.dte.send(format!("AT{line}\r")).await;
            bench.dte.send("AT+CGSN\r").await;
            bench.dte.until("\r\n351602000330570\r\n\r\nOK\r\n").await
        });
        prop_assert_eq!(results(&answer), 2, "{:?} was answered with {:?}", line, answer);
    }

    #[test]
    fn no_bytes_bring_the_module_down(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        in_virtual_time(async {
            let mut bench = Bench::new();
            bench.dte.send(&bytes).await;
            bench.reattach(urcheck_device::Module::power_cycle).await;
            bench.dte.send("\rATE0\r").await;
            bench.dte.until("OK\r\n").await;
        });
    }

    #[test]
    fn no_half_sensible_bytes_bring_the_module_down(
        parts in prop::collection::vec(
            prop_oneof![
                part(),
                Just("\rAT".to_owned()),
                Just("\x1a".to_owned()),
                Just("\x1b".to_owned()),
                Just("+SMTPBODY".to_owned()),
                Just("+CFTRANRX=\"a\",5".to_owned()),
                Just("A/".to_owned()),
            ],
            0..40,
        ),
    ) {
        in_virtual_time(async {
            let mut bench = Bench::new();
            bench.dte.send(parts.concat()).await;
            bench.reattach(urcheck_device::Module::power_cycle).await;
            bench.dte.send("\rATE0\r").await;
            bench.dte.until("OK\r\n").await;
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn how_bytes_are_cut_into_pieces_makes_no_difference(
        parts in prop::collection::vec(part(), 0..8),
        cuts in prop::collection::vec(1_usize..9, 1..20),
    ) {
        let typed = format!("AT{}\rATE1V1Q0\rAT+CGSN\r", parts.join("\rAT"));
        let mut pieces = Vec::new();
        let mut rest = typed.as_bytes();
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let answer = |pieces: &[&[u8]]| in_virtual_time(async {
            let mut bench = Bench::new();
            for piece in pieces {
                bench.dte.send(piece).await;
                tokio::task::yield_now().await;
            }
            bench.dte.stream.shutdown().await.unwrap();
            bench.dte.take(1 << 20).await
        });
        prop_assert_eq!(answer(&[typed.as_bytes()]), answer(&pieces));
    }
}
