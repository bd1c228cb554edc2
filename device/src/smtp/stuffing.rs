//! Transparency of the message text (RFC 5321 section 4.5.2).

/// Doubles each dot that starts a line, over any division of the text into chunks.
#[derive(Debug)]
pub(super) struct DotStuffing {
    /// The two bytes before the next one; a line starts after CR LF.
    before: [u8; 2],
}

impl DotStuffing {
    pub(super) fn new() -> Self {
        Self { before: *b"\r\n" }
    }

    /// Appends `chunk` to `out`. Its lines must end in CR LF.
    pub(super) fn stuff(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        for byte in chunk {
            if *byte == b'.' && self.before == *b"\r\n" {
                out.push(b'.');
            }
            out.push(*byte);
            self.before = [self.before[1], *byte];
        }
    }

    /// What ends the text: the missing line end, if it is missing, and the lone dot.
    pub(super) fn finish(self) -> &'static [u8] {
        if self.before == *b"\r\n" {
            b".\r\n"
        } else {
            b"\r\n.\r\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a receiver makes of it (RFC 5321 section 4.5.2), written independently of the above.
    fn receive(wire: &str) -> Option<String> {
        let text = wire
            .strip_suffix("\r\n.\r\n")
            .map(|text| format!("{text}\r\n"));
        let text = text.or_else(|| (wire == ".\r\n").then(String::new))?;
        let lines: Vec<&str> = text.split("\r\n").collect();
        if lines.contains(&".") {
            return None;
        }
        Some(
            lines
                .iter()
                .map(|line| line.strip_prefix('.').unwrap_or(line))
                .collect::<Vec<_>>()
                .join("\r\n"),
        )
    }

    proptest! {
        #[test]
        fn a_receiver_gets_the_text_back(
            lines in prop::collection::vec("\\.{0,3}[a.]{0,3}", 0..8),
            ended in any::<bool>(),
            cut in 1_usize..7,
        ) {
            let mut text = lines.join("\r\n");
            if ended && !text.is_empty() {
                text.push_str("\r\n");
            }
            let mut stuffing = DotStuffing::new();
            let mut wire = Vec::new();
            for chunk in text.as_bytes().chunks(cut) {
                stuffing.stuff(chunk, &mut wire);
            }
            wire.extend_from_slice(stuffing.finish());
            let received = receive(&String::from_utf8(wire).unwrap()).unwrap();
            let due = if text.is_empty() || text.ends_with("\r\n") { text } else { format!("{text}\r\n") };
            prop_assert_eq!(received, due);
        }
    }
}
