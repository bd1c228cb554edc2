//! Which lines from the device are echo of what was sent (V.250 6.2.4).

/// Longest list of echo lines that is waited for: a body of many lines has many.
const MOST_PENDING: usize = 1024;

/// Follows the echo state of the device.
#[derive(Debug)]
pub(crate) struct Echo {
    on: bool,
    pending: Vec<Vec<u8>>,
}

impl Echo {
    pub(crate) fn new(on: bool) -> Self {
        Self {
            on,
            pending: Vec::new(),
        }
    }

    /// The DTE sent these bytes: while echo is on, each line of them comes back once.
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        self.pending.clear();
        if self.on {
            let lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
            self.pending.extend(
                lines
                    .filter(|line| !line.is_empty())
                    .take(MOST_PENDING)
                    .map(<[u8]>::to_vec),
            );
        }
        if let Some(on) = switched_to(bytes) {
            self.on = on;
        }
    }

    /// Whether the line is echo; it is then not awaited any more.
    pub(crate) fn is_echo(&mut self, line: &[u8]) -> bool {
        let found = self.pending.iter().position(|pending| pending == line);
        if let Some(at) = found {
            self.pending.remove(at);
        }
        found.is_some()
    }
}

/// The echo state that a command line switches to, if it does. The line itself is still echoed in
/// the state before.
fn switched_to(command: &[u8]) -> Option<bool> {
    let text: Vec<u8> = command
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(u8::to_ascii_uppercase)
        .collect();
    match text.strip_prefix(b"AT")? {
        b"E0" | b"E" => Some(false),
        b"E1" | b"Z" | b"Z0" | b"&F" | b"&F0" => Some(true),
        _ => None,
    }
}
