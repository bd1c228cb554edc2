//! A mail host for the length of a test: Postfix takes mail for `example.org` and puts it into
//! maildirs; Dovecot hands it out over POP3 and checks the passwords of both.
//!
//! Everything lies in one temporary directory, on a loopback address of its own; the configuration
//! of an installed mail host is neither read nor changed.

use crate::program::{DEADLINE, Running, installed, printed};
use rustix::process::Signal;
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;
use tokio::process::Command;

/// Who owns the maildirs. Postfix's `virtual` takes nobody below 100.
const OWNER: u32 = 65534;

/// A running Postfix with its Dovecot.
pub(crate) struct Host {
    postfix: Running,
    dovecot: Running,
    pub(crate) address: Ipv4Addr,
    /// Takes mail from everyone.
    pub(crate) smtp: u16,
    /// Takes mail only after AUTH.
    pub(crate) submission: u16,
    pub(crate) pop3: u16,
    // Last, so that it goes when nobody writes there any more.
    folder: TempDir,
}

/// How a host is to be.
pub(crate) struct Plan {
    /// The SASL mechanisms that Postfix offers.
    pub(crate) smtp: &'static str,
    /// The mechanisms that Dovecot knows; USER and PASS need `plain`.
    pub(crate) pop3: &'static str,
}

impl Host {
    /// Starts it; `None`, with a printed line, where that cannot be.
    pub(crate) async fn start(plan: &Plan) -> Option<Self> {
        let postfix = installed("postfix")?;
        let postconf = installed("postconf")?;
        let dovecot = installed("dovecot")?;
        if !rustix::process::geteuid().is_root() {
            println!("skipped: postfix runs only for root");
            return None;
        }
        if !Path::new("/usr/lib/dovecot/pop3").exists() {
            println!("skipped: dovecot-pop3d is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::set_permissions(at, std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["etc", "queue", "data", "mail", "auth"] {
            std::fs::create_dir(at.join(name)).unwrap();
        }
        chown(at.join("mail"), Some(OWNER), Some(OWNER)).unwrap();
        // Its own data directory tells whose Postfix's is to be.
        let data = query(&postconf, &["-dhx", "data_directory"]).await;
        let user = std::fs::metadata(data).unwrap().uid();
        chown(at.join("data"), Some(user), None).unwrap();

        let (address, [smtp, submission, pop3]) = endpoint();
        let fill = |text: &str| {
            text.replace("DIR", at.to_str().unwrap())
                .replace("ADDRESS", &address.to_string())
                .replace("SMTP_PORT", &smtp.to_string())
                .replace("SUBMISSION_PORT", &submission.to_string())
                .replace("POP3_PORT", &pop3.to_string())
                .replace("OWNER", &OWNER.to_string())
                .replace("SMTP_MECHANISMS", plan.smtp)
                .replace("POP3_MECHANISMS", plan.pop3)
        };
        let write = |name: &str, text: &str| std::fs::write(at.join(name), fill(text)).unwrap();
        write("etc/main.cf", MAIN_CF);
        write("etc/master.cf", MASTER_CF);
        write("dovecot.conf", DOVECOT_CONF);
        write("users", USERS);

        let mut command = Command::new(dovecot);
        command.arg("-F").arg("-c").arg(at.join("dovecot.conf"));
        let mut dovecot = Running::start("dovecot", command);
        let up = |line: &str| line.contains("starting up").then_some(());
        let etc = at.join("etc");
        // Makes the directories of the queue; both take a second before they say anything.
        let mut check = Command::new(postfix);
        tokio::join!(
            dovecot.until(up),
            finished(check.arg("-c").arg(&etc).arg("check"))
        );
        // What `postfix start-fg` runs, but in the process group of the test, so that Ctrl-C ends it.
        let programs = query(&postconf, &["-dhx", "daemon_directory"]).await;
        let mut command = Command::new(Path::new(&programs).join("master"));
        command.arg("-c").arg(&etc).arg("-d");
        let mut postfix = Running::start("postfix", command);
        let up = |line: &str| line.contains("daemon started").then_some(());
        postfix.until(up).await;
        for port in [smtp, submission, pop3] {
            listening(address, port).await;
        }
        Some(Self {
            postfix,
            dovecot,
            address,
            smtp,
            submission,
            pop3,
            folder,
        })
    }

    /// Ends it, and returns when none of its daemons is left.
    pub(crate) async fn stop(self) {
        // Where they are started in the background of a shell, they ignore SIGINT.
        tokio::join!(
            self.postfix.stop(Signal::TERM),
            self.dovecot.stop(Signal::TERM)
        );
    }

    /// Waits until Postfix has put so many more mails into maildirs.
    pub(crate) async fn delivered(&mut self, mails: usize) {
        for _ in 0..mails {
            let sent = |line: &str| line.contains("status=sent").then_some(());
            self.postfix.until(sent).await;
        }
    }

    /// The mails of `user`, read or not, as they lie in the maildir.
    pub(crate) fn mails(&self, user: &str) -> Vec<String> {
        let maildir = self.folder.path().join("mail").join(user);
        // A maildir is made with its first mail.
        let folders = ["new", "cur"].map(|name| std::fs::read_dir(maildir.join(name)));
        let entries = folders.into_iter().flatten().flatten();
        entries
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect()
    }
}

async fn query(postconf: &Path, arguments: &[&str]) -> String {
    finished(Command::new(postconf).args(arguments)).await
}

/// Runs a command that must succeed; gives what it printed, on one line.
async fn finished(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{command:?}: {}", printed(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// An address that only this process uses, and ports on it that only this host uses. A port that
/// was free on 127.0.0.1 a moment ago can be anybody's when the daemon wants it: every outgoing
/// connection takes one, and Postfix ends without a word where its port is taken.
fn endpoint<const N: usize>() -> (Ipv4Addr, [u16; N]) {
    // Below the range from which outgoing connections take theirs.
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 64 | high, middle, low);
    let ports = [(); N].map(|()| NEXT.fetch_add(1, Ordering::Relaxed));
    (address, ports)
}

async fn listening(address: Ipv4Addr, port: u16) {
    let connected = async {
        while tokio::net::TcpStream::connect((address, port))
            .await
            .is_err()
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, connected)
        .await
        .unwrap_or_else(|_| panic!("nobody listens on {address}:{port}"));
}

const MAIN_CF: &str = "\
compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = /dev/stdout
myhostname = mail.example.org
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
virtual_mailbox_domains = example.org
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = inline:{ anna@example.org=anna/, carl@example.org=carl/, bob@example.org=bob/ }
virtual_uid_maps = static:OWNER
virtual_gid_maps = static:OWNER
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_sasl_type = dovecot
smtpd_sasl_path = DIR/auth/socket
smtpd_sasl_mechanism_filter = SMTP_MECHANISMS
smtpd_sasl_authenticated_header = yes
";

const MASTER_CF: &str = "\
ADDRESS:SMTP_PORT inet n - n - - smtpd
ADDRESS:SUBMISSION_PORT inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
";

const DOVECOT_CONF: &str = "\
base_dir = DIR/run
state_dir = DIR/state
protocols = pop3
listen = ADDRESS
ssl = no
disable_plaintext_auth = no
auth_mechanisms = POP3_MECHANISMS
auth_failure_delay = 0
log_path = /dev/stderr
mail_location = maildir:DIR/mail/%n
mail_uid = OWNER
mail_gid = OWNER
first_valid_uid = 100
passdb {
  driver = passwd-file
  args = DIR/users
}
userdb {
  driver = static
  args = uid=OWNER gid=OWNER home=DIR/mail/%n
}
service pop3-login {
  inet_listener pop3 {
    port = POP3_PORT
  }
  inet_listener pop3s {
    port = 0
  }
}
# Without it nobody is made to wait after a wrong password.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener DIR/auth/socket {
    mode = 0666
  }
}
";

const USERS: &str = "\
anna:{PLAIN}correct horse
carl:{PLAIN}battery staple
bob:{PLAIN}secret
";
