//! A server: a service behind the wire, and the handle that tests and people hold.

use crate::{
    engine::{Connection, End, Options, Service},
    event::{EventKind, EventSink},
    fault::{Action, Book, Kinds, Position, Rule, RuleError, Visit},
    net::{Door, Gate, Listener, Stream},
    tls::{Tls, TlsError},
    wire::{Recorder, Sinks, Terms, Wire},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};
use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long connections get to end by themselves after a stop.
const GRACE: Duration = Duration::from_millis(500);
/// How often to look whether somebody has met a port that is shut.
const LOOK: Duration = Duration::from_millis(10);
/// How long to wait before accepting again after the network refused (no descriptors left).
const BACK_OFF: Duration = Duration::from_millis(50);

/// A fake server. Clones are handles of the same server.
pub struct Server<P: Service>(Arc<Inner<P>>);

struct Inner<P> {
    service: P,
    options: Options,
    book: Book,
    tls: Option<Tls>,
    sinks: Sinks,
    connections: AtomicU32,
    gated: AtomicBool,
    /// Told when rules were turned on or off.
    turned: Notify,
    paused: watch::Sender<bool>,
    live: Mutex<BTreeMap<u32, watch::Sender<Option<End>>>>,
}

/// Why a server could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Fault rules make no sense.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rules(Vec<RuleError>),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Why an action could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// No such action.
    #[error("unknown action {words:?}; known are {known}")]
    Unknown {
        /// What was asked for.
        words: String,
        /// What could have been asked for.
        known: String,
    },
    /// The action has wrong arguments.
    #[error("{0}")]
    Bad(String),
}

impl<P: Service> Clone for Server<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Service> Server<P> {
    /// Makes a server that serves nobody yet. Times in its view count from now, on the clock of
    /// the runtime it is made in.
    ///
    /// # Errors
    /// When fault rules make no sense (all mistakes are named), or TLS cannot be set up.
    pub fn new(setup: P::Setup, sink: EventSink) -> Result<Self, SetupError> {
        let made = Instant::now();
        let service = P::new(setup, made);
        let options = service.options();
        let mistakes = Rule::check(&options.faults, P::PROTOCOL);
        if !mistakes.is_empty() {
            return Err(SetupError::Rules(mistakes));
        }
        let tls = (options.implicit_tls || options.start_tls)
            .then(|| Tls::new(&options.domain))
            .transpose()?;
        Ok(Self(Arc::new(Inner {
            service,
            book: Book::new(options.faults.clone()),
            options,
            tls,
            sinks: Sinks {
                protocol: P::PROTOCOL,
                sink,
                last: Arc::new(Mutex::new(made)),
                due: Arc::default(),
            },
            connections: AtomicU32::new(0),
            gated: AtomicBool::new(false),
            turned: Notify::new(),
            paused: watch::Sender::new(false),
            live: Mutex::new(BTreeMap::new()),
        })))
    }

    /// Accepts connections until `stop`; then tells every client, closes, and returns.
    ///
    /// # Errors
    /// Never at present: a failing accept is recorded and tried again.
    pub async fn serve<L: Listener>(
        &self,
        listener: &mut L,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let gated = listener.set_gate(self.gate());
        self.0.gated.store(gated, Ordering::Relaxed);
        let tasks = TaskTracker::new();
        let mut shut = if gated { None } else { self.shut(listener) };
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.0.turned.notified(), if !gated => {
                    self.look(listener, &mut shut);
                    shut = self.shut(listener);
                    continue;
                }
                () = tokio::time::sleep(LOOK), if shut.is_some() => {
                    self.look(listener, &mut shut);
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let server = self.clone();
                    let stop = stop.clone();
                    // Numbered here, so that numbers are in the order of the accepts.
                    let id = self.number();
                    tasks.spawn(async move { server.converse(id, stream, peer, stop).await });
                }
                Err(error) => {
                    let note = format!("failed to accept: {error}");
                    self.0.sinks.emit(0, EventKind::Note(note));
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
        self.look(listener, &mut shut);
        listener.shut(Door::Open);
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    /// Shuts or opens the port as the rules want it now; the rule that shut it.
    fn shut<L: Listener>(&self, listener: &mut L) -> Option<usize> {
        let (door, rule) = self.0.book.door();
        let done = listener.shut(door);
        let (index, rule) = rule.filter(|_| done)?;
        let words = match rule.action {
            Action::BlackHole => "no attempt to connect is answered",
            _ => "every attempt to connect is refused",
        };
        self.0.sinks.emit(0, EventKind::Note(words.to_owned()));
        Some(index)
    }

    /// Counts the rule that shut the port as fired once somebody has met it.
    fn look<L: Listener>(&self, listener: &mut L, shut: &mut Option<usize>) {
        let Some(index) = shut.filter(|_| listener.was_met()) else {
            return;
        };
        // Once is all that can be known.
        *shut = None;
        let what = self.0.options.faults.get(index);
        let what = what.map(Rule::in_words).unwrap_or_default();
        self.0.book.fire(index);
        let fired = EventKind::Fired { rule: index, what };
        self.0.sinks.emit(self.number(), fired);
    }

    /// Serves one connection to its end.
    pub async fn handle<S: Stream>(&self, stream: S, peer: impl Into<String>) {
        let id = self.number();
        self.converse(id, stream, peer.into(), CancellationToken::new())
            .await;
    }

    /// The state for checks, as `docs/checks.md` describes it.
    pub fn view(&self) -> serde_json::Value {
        self.0.service.view()
    }

    /// Carries out an action: `pause`, `resume`, `drop`, `reset`, `fault on|off NAME`, or one of
    /// the protocol. Returns what was done, in plain words.
    ///
    /// # Errors
    /// When there is no such action, or its arguments are wrong.
    pub fn act(&self, words: &[&str]) -> Result<String, ActionError> {
        match *words {
            ["pause"] => {
                self.0.paused.send_replace(true);
                Ok("replies are held back".into())
            }
            ["resume"] => {
                self.0.paused.send_replace(false);
                Ok("replies flow".into())
            }
            ["drop"] => Ok(format!("closed {} connections", self.cut(End::Server))),
            ["reset"] => Ok(format!("reset {} connections", self.cut(End::ServerReset))),
            ["fault", state @ ("on" | "off"), name] => {
                match self.0.book.turn(name, state == "on") {
                    0 => Err(ActionError::Bad(format!(
                        "no fault rule is named {name:?}; names are {:?}",
                        self.0.book.names()
                    ))),
                    count => {
                        self.0.turned.notify_one();
                        Ok(format!("turned {count} rules {state}"))
                    }
                }
            }
            _ => self.0.service.act(words).unwrap_or_else(|| {
                Err(ActionError::Unknown {
                    words: words.join(" "),
                    known: "pause, resume, drop, reset, fault on NAME, fault off NAME".into(),
                })
            }),
        }
    }

    /// When something last happened on any connection: now, as long as a rule holds back a reply
    /// that will still be said.
    pub fn quiet_since(&self) -> Instant {
        if self.is_owing() {
            return Instant::now();
        }
        *lock(&self.0.sinks.last)
    }

    /// Whether a rule holds back a reply that will still be said.
    pub fn is_owing(&self) -> bool {
        self.0.sinks.due.load(Ordering::Relaxed) > 0
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        lock(&self.0.live).len()
    }

    /// How often each fault rule has fired, in the order of the setup.
    pub fn fired(&self) -> Vec<u32> {
        self.0.book.fired()
    }

    /// The server's certificate, if it can do TLS.
    pub fn certificate_pem(&self) -> Option<&str> {
        let tls = self.0.tls.as_ref()?;
        Some(&tls.certificate_pem)
    }

    fn number(&self) -> u32 {
        self.0.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn converse<S: Stream>(&self, id: u32, stream: S, peer: String, stop: CancellationToken) {
        let inner = &*self.0;
        let recorder = Recorder::new(inner.sinks.clone(), id);
        recorder.emit(EventKind::Connected { peer: peer.clone() });
        let cut = watch::Sender::new(None);
        let mut cuts = cut.subscribe();
        let over = {
            let mut live = lock(&inner.live);
            live.insert(id, cut);
            live.len() > inner.options.connections
        };
        let _guard = Guard { inner, id };
        if over {
            self.turn_away(stream, &recorder).await;
            return;
        }
        let engine = inner.service.open(Connection {
            id,
            peer,
            opened: Instant::now(),
            secure: inner.options.implicit_tls,
            can_start_tls: inner.tls.is_some() && !inner.options.implicit_tls,
        });
        let terms = Terms {
            options: &inner.options,
            book: &inner.book,
            tls: inner.tls.as_ref().map(|tls| &tls.acceptor),
            gated: inner.gated.load(Ordering::Relaxed),
            paused: inner.paused.subscribe(),
            stop: stop.clone(),
        };
        let mut wire = Wire::new(stream, engine, recorder, terms);
        let end = tokio::select! {
            biased;
            end = cut_short(&mut cuts) => end,
            end = wire.talk() => end,
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => End::Stopped,
        };
        // On a stop nobody waits for clients that do not close their side.
        let finish = wire.finish(end);
        tokio::select! {
            () = finish => {}
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {}
        }
    }

    async fn turn_away<S: Stream>(&self, mut stream: S, recorder: &Recorder) {
        use tokio::io::AsyncWriteExt;
        let words = &self.0.options.too_many;
        recorder.emit(EventKind::Note("too many connections".into()));
        let said = tokio::time::timeout(GRACE, stream.write_all(words)).await;
        if let Ok(Ok(())) = said {
            recorder.server_said(words);
        }
        stream.shutdown().await.ok();
        recorder.emit(EventKind::ServerClosed);
    }

    /// Tells every open connection to end; how many there are.
    fn cut(&self, end: End) -> usize {
        let live = lock(&self.0.live);
        for cut in live.values() {
            cut.send_replace(Some(end));
        }
        live.len()
    }

    fn gate(&self) -> Gate {
        // Weak: the listener must not keep the server alive.
        let server = Arc::downgrade(&self.0);
        Arc::new(move || {
            let Some(inner) = server.upgrade() else {
                return Door::Refuse;
            };
            let connection = inner.connections.load(Ordering::Relaxed) + 1;
            let visit = Visit {
                names: &[(Position::Connect, 1)],
                connection,
                line: &[],
            };
            let Some((index, rule)) = inner.book.find(visit, Kinds::Gate) else {
                return Door::Open;
            };
            inner.book.fire(index);
            inner.connections.fetch_add(1, Ordering::Relaxed);
            let what = rule.in_words();
            let fired = EventKind::Fired { rule: index, what };
            inner.sinks.emit(connection, fired);
            match rule.action {
                Action::BlackHole => Door::BlackHole,
                _ => Door::Refuse,
            }
        })
    }
}

/// Waits until somebody wants the connection to end.
async fn cut_short(cuts: &mut watch::Receiver<Option<End>>) -> End {
    let end = match cuts.wait_for(Option::is_some).await {
        Ok(end) => *end,
        Err(_) => None,
    };
    match end {
        Some(end) => end,
        None => std::future::pending().await,
    }
}

/// Takes a connection off the list when its task ends, however it ends.
struct Guard<'a, P> {
    inner: &'a Inner<P>,
    id: u32,
}

impl<P> Drop for Guard<'_, P> {
    fn drop(&mut self) {
        lock(&self.inner.live).remove(&self.id);
    }
}

/// A poisoned lock only says that some other task panicked; the state behind it is plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
