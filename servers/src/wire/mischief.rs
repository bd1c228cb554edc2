//! What the wire does to a client when a fault rule fires.

use super::{
    Wire,
    octets::{self, Octets},
    recorder::Recorder,
};
use crate::{
    engine::{End, Reply},
    event::EventKind,
    fault::{Action, Ending, Kinds, Place, Position, Rule, Visit, mutate},
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
/// How much a repeated reply may be in one write.
const AT_ONCE: usize = 64 * 1024;
/// The place of rules that count the client's octets; a connection is there once.
const RECEIVED: &[(Position, u32)] = &[(Position::Received, 1)];
/// The place of rules that count the server's octets.
const SENT: &[(Position, u32)] = &[(Position::Sent, 1)];
/// How much one piece of an endless reply has at least.
const ENDLESS_PIECE: usize = 1024;

impl<'a, S: Stream> Wire<'a, S> {
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

    /// Asks the rules that count what the client has sent.
    pub(super) async fn at_received(&mut self) -> Result<(), End> {
        while let Some((index, rule)) = {
            let book = self.book;
            self.received.due(book, octets_of(RECEIVED, &self.recorder))
        } {
            self.fire(index, rule);
            self.wait_as(rule).await?;
            if rule.action != Action::Delay {
                self.told(Position::Received, &rule.said().unwrap_or_default(), false);
                Box::pin(self.abrupt(rule)).await?;
            }
        }
        Ok(())
    }

    /// Asks the rules that count what was sent to the client, between two replies.
    pub(super) async fn at_sent(&mut self) -> Result<(), End> {
        while let Some((index, rule)) = self.due_at_sent() {
            self.fire(index, rule);
            self.wait_as(rule).await?;
            if rule.action != Action::Delay {
                self.told(Position::Received, &rule.said().unwrap_or_default(), false);
                self.abrupt(rule).await?;
            }
        }
        Ok(())
    }

    /// The same inside a reply, of which `written` is out.
    pub(super) async fn inside_reply(&mut self, written: Option<&[u8]>) -> Result<(), End> {
        while let Some((index, rule)) = self.due_at_sent() {
            self.fire(index, rule);
            self.wait_as(rule).await?;
            if rule.action != Action::Delay {
                if let Some(position) = self.answering {
                    self.told(position, written.unwrap_or_default(), false);
                }
                self.abrupt(rule).await?;
            }
        }
        Ok(())
    }

    fn due_at_sent(&mut self) -> Option<(usize, &'a Rule)> {
        let book = self.book;
        self.sent.due(book, octets_of(SENT, &self.recorder))
    }

    /// How much may be read before a rule has to be asked.
    pub(super) fn received_room(&self) -> usize {
        let visit = octets_of(RECEIVED, &self.recorder);
        self.received.room(self.book, visit).min(super::CHUNK)
    }

    /// How much may be written before a rule has to be asked.
    pub(super) fn sent_room(&self) -> usize {
        self.sent.room(self.book, octets_of(SENT, &self.recorder))
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
        let honest = said.is_none();
        match rule.action {
            Action::Delay => {
                let told = self.put(Octets::of(reply)).await?;
                self.told(position, &told, true);
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
                let octets = said.map_or_else(|| Octets::of(reply), Octets::only);
                let told = self.pieces(rule, octets).await?;
                self.told(position, &told, honest);
                self.then(rule.then).await?;
                Ok(honest)
            }
            Action::Inject => {
                let extra = said.unwrap_or_default();
                let mut octets = Octets::of(reply);
                match rule.place {
                    Place::Before => octets.put_before(extra),
                    Place::After => octets.put_after(extra),
                }
                let told = self.put(octets).await?;
                self.told(position, &told, true);
                Ok(true)
            }
            Action::Truncate => {
                let (told, whole) = self.beginning(rule, Octets::of(reply)).await?;
                self.told(position, &told, whole);
                self.then(rule.then).await?;
                Ok(whole)
            }
            Action::Repeat => {
                let octets = said.map_or_else(|| Octets::of(reply), Octets::only);
                let told = self.again_and_again(rule, octets).await?;
                self.told(position, &told, honest);
                self.then(rule.then).await?;
                Ok(honest)
            }
            Action::Mutate => {
                let mut octets = said.map_or_else(|| Octets::of(reply), Octets::only);
                mutate(octets.first(), rule.seed, rule.count.unwrap_or(1));
                let told = self.put(octets).await?;
                self.told(position, &told, false);
                self.then(rule.then).await?;
                Ok(false)
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

    /// Waits with something still to be said.
    async fn pause(&mut self, time: Duration) -> Result<(), End> {
        let _due = self.recorder.due();
        self.wait(time).await
    }

    async fn wait_as(&mut self, rule: &Rule) -> Result<(), End> {
        match rule.delay {
            Some(span) => self.pause(span.0).await,
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

    /// Writes in pieces. Gives the beginning of what was written.
    async fn pieces(&mut self, rule: &Rule, mut octets: Octets) -> Result<Vec<u8>, End> {
        let gap = rule.gap.map_or(GAP, |span| span.0);
        let step = usize::try_from(rule.bytes.unwrap_or(1)).unwrap_or(usize::MAX);
        let step = step.max(1);
        let drip = rule.action == Action::Drip;
        let mut told = Vec::new();
        let mut offset = 0usize;
        while let Some(part) = octets.next() {
            octets::keep(&mut told, &part);
            let mut rest = part.as_slice();
            while !rest.is_empty() {
                let (at_cut, next) = if drip {
                    (
                        offset.is_multiple_of(step),
                        (offset / step + 1).saturating_mul(step),
                    )
                } else {
                    let later = rule.at.iter().copied().filter(|&cut| cut > offset);
                    (rule.at.contains(&offset), later.min().unwrap_or(usize::MAX))
                };
                if at_cut && offset > 0 {
                    self.pause(gap).await?;
                }
                let (piece, tail) = rest.split_at(rest.len().min(next - offset));
                self.write(piece).await?;
                offset += piece.len();
                rest = tail;
            }
        }
        Ok(told)
    }

    /// Writes only the first octets. Gives the beginning of them, and whether there were no more.
    async fn beginning(&mut self, rule: &Rule, mut octets: Octets) -> Result<(Vec<u8>, bool), End> {
        let mut left = usize::try_from(rule.bytes.unwrap_or(0)).unwrap_or(usize::MAX);
        let mut told = Vec::new();
        while let Some(part) = octets.next() {
            let (now, later) = part.split_at(part.len().min(left));
            self.write(now).await?;
            octets::keep(&mut told, now);
            left -= now.len();
            if !later.is_empty() {
                return Ok((told, false));
            }
        }
        Ok((told, true))
    }

    /// Writes the same several times: in one write where that is possible and no gap is wanted.
    async fn again_and_again(&mut self, rule: &Rule, mut octets: Octets) -> Result<Vec<u8>, End> {
        let count = rule.count.unwrap_or(2);
        let times = usize::try_from(count).unwrap_or(usize::MAX);
        if rule.gap.is_none() && octets.repeated(times, AT_ONCE) {
            return self.put(octets).await;
        }
        let mut told = Vec::new();
        for round in 0..count {
            if let Some(gap) = rule.gap.filter(|_| round > 0) {
                self.pause(gap.0).await?;
            }
            let part = self.put(octets.clone()).await?;
            octets::keep(&mut told, &part);
        }
        Ok(told)
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

/// The visit of rules that count octets: they do not know of lines.
fn octets_of<'v>(names: &'v [(Position, u32)], recorder: &Recorder) -> Visit<'v> {
    Visit {
        names,
        connection: recorder.connection(),
        line: &[],
    }
}
