//! What the tests of the program share.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// What a finished program left behind.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program, without colours.
pub(crate) fn urcheck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_urcheck"));
    command
        .args(arguments)
        .env("NO_COLOR", "1")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    ended(urcheck(arguments).output().unwrap())
}

pub(crate) fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A child that is killed when the test ends, however it ends.
pub(crate) struct Guard(pub(crate) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// A scenario folder with one scenario, `t.att`, of this dialogue.
pub(crate) fn suite_of(dialogue: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "t", dialogue);
    folder
}

/// Adds a scenario to a folder.
pub(crate) fn write(folder: &Path, name: &str, dialogue: &str) {
    let text = format!("+++\nformat = 1\ntitle  = \"A test\"\n+++\n\n{dialogue}");
    std::fs::write(folder.join(format!("{name}.att")), text).unwrap();
    let profiles = folder.join("profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let profile = "title = \"T\"\necho = false\n[urcs]\nignore = [\"RING\", \"+CREG: {{*}}\"]\n";
    std::fs::write(profiles.join("sim5360.toml"), profile).unwrap();
}

/// A raw PTY: the controller, the user side that keeps it open, and the user side's path.
pub(crate) fn pty() -> (File, OwnedFd, String) {
    let pty = rustix_openpty::openpty(None, None).unwrap();
    let mut modes = rustix::termios::tcgetattr(&pty.user).unwrap();
    modes.make_raw();
    rustix::termios::tcsetattr(&pty.user, rustix::termios::OptionalActions::Now, &modes).unwrap();
    let path = rustix::termios::ttyname(&pty.user, Vec::new()).unwrap();
    (
        File::from(pty.controller),
        pty.user,
        path.into_string().unwrap(),
    )
}
