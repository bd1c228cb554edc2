//! What the wire does to a client when a fault rule fires.

use super::Wire;
use crate::{
    engine::{End, Reply},
    event::EventKind,
    fault::{Action, Ending, Kinds, Place, Position, Rule, Visit},
    net::Stream,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Duration, Instant, timeout_at},
};

/// Between two pieces of a split or drip: long enough that a network stack does not glue them
/// together again.
const GAP: Duration = Duration::from_millis(20);
/// Between two pieces of an endless reply: long enough for a paused clock to move at all.
const ENDLESS_GAP: Duration = Duration::from_millis(1);
/// How much one piece of an endless reply has at least.
const ENDLESS_PIECE: usize = 1024;

impl<S: Stream> Wire<'_, S> {
    /// The rules of the place before the first octet.
    pub(super) async fn at_connect(&mut self) -> Result<(), End> {
        let names = self.visit(Position::Connect, None);
        let visit = Visit {
            names: &names,
            connection: self.recorder.connection(),
            line: &[],
        };
        let kinds = if self.gated {
            Kinds::NotGate
        } else {
            Kinds::All
        };
        let book = self.book;
        let Some((index, rule)) = book.find(visit, kinds) else {
            return Ok(());
        };
        self.fire(index, rule);
        self.wait_as(rule).await?;
        match rule.action {
            Action::Delay => Ok(()),
            Action::Refuse => {
                self.note("this network cannot refuse: reset instead");
                Err(End::ServerReset)
            }
            Action::BlackHole => {
                self.note("this network cannot swallow the attempt: silence instead");
                Err(self.deaf().await)
            }
            _ => self.abrupt(rule).await,
        }
    }

    /// A rule inside the message fires.
    pub(super) async fn in_body(&mut self, index: usize, rule: &Rule) -> Result<(), End> {
        self.fire(index, rule);
        self.wait_as(rule).await?;
        match rule.action {
            Action::Delay => Ok(()),
            _ => {
                self.told(Position::Body, &rule.said().unwrap_or_default(), false);
                self.abrupt(rule).await
            }
        }
    }

    /// A rule fires in place of a reply. Says whether the reply went out whole all the same.
    pub(super) async fn misbehave(
        &mut self,
        index: usize,
        rule: &Rule,
        reply: Reply,
    ) -> Result<bool, End> {
        self.fire(index, rule);
        self.wait_as(rule).await?;
        let position = reply.position;
        let said = rule.said();
        match rule.action {
            Action::Delay => {
                self.write(&reply.bytes).await?;
                self.told(position, &reply.bytes, true);
                Ok(true)
            }
            Action::Reply => {
                let bytes = said.unwrap_or_default();
                self.write(&bytes).await?;
                self.told(position, &bytes, false);
                self.then(rule.then).await?;
                Ok(false)
            }
            Action::Swallow => {
                self.told(position, &[], false);
                Ok(false)
            }
            Action::Split | Action::Drip => {
                let honest = said.is_none();
                let bytes = said.unwrap_or(reply.bytes);
                self.pieces(rule, &bytes).await?;
                self.told(position, &bytes, honest);
                self.then(rule.then).await?;
                Ok(honest)
            }
            Action::Inject => {
                let extra = said.unwrap_or_default();
                let both = match rule.place {
                    Place::Before => [extra, reply.bytes.clone()].concat(),
                    Place::After => [reply.bytes.clone(), extra].concat(),
                };
                self.write(&both).await?;
                self.told(position, &both, true);
                Ok(true)
            }
            Action::Truncate => {
                let keep = usize::try_from(rule.bytes.unwrap_or(0)).unwrap_or(usize::MAX);
                let honest = keep >= reply.bytes.len();
                let bytes = reply.bytes.get(..keep).unwrap_or(&reply.bytes);
                self.write(bytes).await?;
                self.told(position, bytes, honest);
                self.then(rule.then).await?;
                Ok(honest)
            }
            _ => {
                let bytes = said.unwrap_or_default();
                self.told(position, &bytes, false);
                self.abrupt(rule).await?;
                Ok(false)
            }
        }
    }

    /// The actions that mean the same at every place.
    async fn abrupt(&mut self, rule: &Rule) -> Result<(), End> {
        if rule.action == Action::Endless {
            self.endless(rule).await?;
            return self.then(rule.then).await;
        }
        if let Some(bytes) = rule.said() {
            self.write(&bytes).await?;
        }
        match rule.action {
            Action::Fin => Err(End::Server),
            Action::Rst => Err(End::ServerReset),
            Action::Stall => Err(self.stall().await),
            Action::StopReading => Err(self.deaf().await),
            Action::HalfClose => {
                self.link.shutdown().await.map_err(|_| End::ClientReset)?;
                self.recorder.emit(EventKind::ServerClosed);
                Err(self.stall().await)
            }
            _ => self.then(rule.then).await,
        }
    }

    async fn then(&mut self, ending: Ending) -> Result<(), End> {
        match ending {
            Ending::GoOn => Ok(()),
            Ending::Fin => Err(End::Server),
            Ending::Rst => Err(End::ServerReset),
            Ending::Stall => Err(self.stall().await),
        }
    }

    fn fire(&mut self, index: usize, rule: &Rule) {
        self.book.fire(index);
        let what = rule.in_words();
        self.recorder.emit(EventKind::Fired { rule: index, what });
    }

    async fn wait_as(&mut self, rule: &Rule) -> Result<(), End> {
        match rule.delay {
            Some(span) => self.wait(span.0).await,
            None => Ok(()),
        }
    }

    /// Reads, but obeys and says nothing, until the client goes.
    async fn stall(&mut self) -> End {
        let deadline = Instant::now() + self.options.idle;
        let mut chunk = [0; 4096];
        loop {
            let read = tokio::select! {
                read = timeout_at(deadline, self.link.read(&mut chunk)) => read,
                () = self.stop.cancelled() => return End::Stopped,
            };
            match read {
                Ok(Ok(0)) => return self.lost(),
                Ok(Ok(count)) => self
                    .recorder
                    .client_said(chunk.get(..count).unwrap_or_default()),
                Ok(Err(_)) => return End::ClientReset,
                Err(_) => return End::Timeout,
            }
        }
    }

    /// Does not even read until the client goes.
    async fn deaf(&mut self) -> End {
        match self.wait(self.options.idle).await {
            Ok(()) => End::Timeout,
            Err(end) => end,
        }
    }

    async fn pieces(&mut self, rule: &Rule, bytes: &[u8]) -> Result<(), End> {
        let gap = rule.gap.map_or(GAP, |span| span.0);
        let cuts: Vec<usize> = if rule.action == Action::Drip {
            let step = usize::try_from(rule.bytes.unwrap_or(1)).unwrap_or(usize::MAX);
            (0..bytes.len()).step_by(step.max(1)).skip(1).collect()
        } else {
            let mut cuts = rule.at.clone();
            cuts.sort_unstable();
            cuts.dedup();
            cuts.retain(|&cut| cut > 0 && cut < bytes.len());
            cuts
        };
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let mut from = 0;
        for to in ends {
            if from > 0 {
                self.wait(gap).await?;
            }
            self.write(bytes.get(from..to).unwrap_or_default()).await?;
            from = to;
        }
        Ok(())
    }

    async fn endless(&mut self, rule: &Rule) -> Result<(), End> {
        let unit = rule.said().filter(|said| !said.is_empty());
        let unit = unit.unwrap_or_else(|| vec![b'x']);
        let piece = unit.repeat(ENDLESS_PIECE.div_ceil(unit.len()));
        let gap = rule.gap.map_or(ENDLESS_GAP, |span| span.0.max(ENDLESS_GAP));
        let mut left = rule.bytes.unwrap_or(u64::MAX);
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            self.write(piece.get(..count).unwrap_or_default()).await?;
            left -= count as u64;
            self.wait(gap).await?;
        }
        Ok(())
    }

    fn note(&self, text: &str) {
        self.recorder.emit(EventKind::Note(text.to_owned()));
    }
}
