//! Worlds with long values and long texts.

use super::world::World;
use super::worlds::smtp;

/// Ten times the same.
macro_rules! ten {
    ($text:expr) => {
        concat!(
            $text, $text, $text, $text, $text, $text, $text, $text, $text, $text
        )
    };
}

/// A line of 76 characters, which is base64, too.
macro_rules! line {
    () => {
        concat!(ten!("abcdefg"), "hijkl2\r\n")
    };
}

pub(crate) const LONG: &[World] = &[
    smtp(
        "long values",
        &[],
        smtp![
            concat!(
                "AT+SMTPAUTH=1,\"",
                ten!("username"),
                "\",\"",
                ten!("pass"),
                "\""
            ),
            concat!(
                "AT+SMTPFROM=\"",
                ten!("sender"),
                "@server.com\",\"",
                ten!("Name"),
                "\""
            ),
            concat!(
                "AT+SMTPRCPT=0,1,\"",
                ten!("second"),
                "@server.com\",\"Two\""
            ),
            "AT+SMTPRCPT=0,2,\"third@server.com\",\"Three\"",
            "AT+SMTPRCPT=0,1",
            "AT+FSCD=C:/Picture",
            "AT+SMTPFILE=1,\"20100202_100006.jpg\"",
            "AT+SMTPFILE=2,\"20100202_100016.jpg\"",
            "AT+SMTPFILE=2",
            "AT+SMTPSUB=\"100%% of %s\"",
            "AT+CCLK=\"16/03/01,15:04:05-14\"",
            "AT+SMTPSEND",
            "~100s",
        ],
    ),
    World {
        name: "long texts",
        settings: &["echo=off", "storage.free=2MiB"],
        answers: &[
            ("LIST 1", "+OK 1 70000\r\n"),
            (
                "LIST",
                concat!("+OK\r\n", ten!(ten!("1 5\r\n1 5\r\n1 5\r\n")), ".\r\n"),
            ),
            (
                "RETR 1",
                concat!(
                    "+OK\r\nSubject: x\r\n\r\n",
                    ten!(ten!(line!())),
                    ten!(ten!(line!())),
                    ten!(ten!(line!())),
                    ten!(ten!(line!())),
                    ten!(ten!(line!())),
                    ".\r\n"
                ),
            ),
            (
                "RETR 2",
                concat!(
                    "+OK\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n",
                    ten!("--x\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nabc\r\n"),
                    "--x\r\nContent-Disposition: attachment; filename=b.txt\r\n\r\n",
                    ten!(ten!(ten!(line!()))),
                    "--x--\r\n.\r\n"
                ),
            ),
        ],
        script: pop3![
            "AT+POP3IN",
            "AT+POP3LIST=1",
            "AT+POP3LIST",
            "AT+POP3GET=1",
            "~10s",
            "AT+POP3READ",
            "~10s",
            "AT+POP3GET=2",
            "~10s",
            "AT+FSMEM",
        ],
    },
];
