//! The task of one connection.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use event_core::{
    Core, Host, Session, SessionKind, StreamError, events, host_gone, random_id, turns,
    xml::{Element, Limits, STREAM_NS, StreamHeader},
};
use tokio::time::{Sleep, sleep, timeout};

use super::{
    Settings, Streams,
    budget::Share,
    end::{End, Refusal, contained},
    header,
    input::{Input, Item},
    io::Io,
    pace::{Flood, Pace},
    pool,
    secure::HANDSHAKE,
    traffic::Counters,
    wire::{Command, Wire},
};

/// Who does not read this many bytes of answers is not read either until it does.
const BACKPRESSURE: usize = 64 * 1024;

/// See the [module](self).
pub(super) struct Connection {
    pub(super) streams: Arc<Streams>,
    pub(super) wire: Arc<Wire>,
    pub(super) io: Io,
    pub(super) input: Input,
    /// What was read while a handler waited.
    ahead: VecDeque<Result<Item, End>>,
    /// Bytes of the element that is handled.
    in_hand: u32,
    /// All that was read and is not handled, of what may wait on all streams.
    share: Share,
    /// As they were when the connection began.
    settings: Arc<Settings>,
    pub(super) session: Option<Session>,
    /// What was taken from the wire, and how much of it is written.
    writing: Vec<u8>,
    written: usize,
    /// Bytes that the socket may still keep.
    unflushed: u32,
    pub(super) pace: Pace,
    /// When the stream must be established; none once it is.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(streams: Arc<Streams>, wire: Arc<Wire>, io: Io) -> Self {
        let settings = streams.settings();
        let limit = Duration::from_secs(settings.limits.authentication_seconds);
        let pace = Pace::new(&settings.limits, wire.kind);
        let share = Share::of(&streams.budget);
        Self {
            streams,
            settings,
            wire,
            io,
            input: Input::default(),
            ahead: VecDeque::new(),
            in_hand: 0,
            share,
            session: None,
            writing: Vec::new(),
            written: 0,
            unflushed: 0,
            pace,
            deadline: Some(Box::pin(sleep(limit))),
        }
    }

    /// Serves the connection to its end; says why, unless the other side left by itself.
    // Boxed, since a future has room for what it is given and for what it makes of it.
    #[expect(clippy::manual_async_fn, reason = "its future is smaller")]
    pub(super) fn run(
        mut self: Box<Self>,
        direct: bool,
    ) -> impl Future<Output = Option<String>> + Send {
        async move {
            let end = if direct { Box::pin(self.handshake()).await.err() } else { None };
            let end = match end {
                Some(end) => end,
                None => self.live().await,
            };
            Box::pin(self.finish(end)).await
        }
    }

    async fn live(&mut self) -> End {
        loop {
            if let Err(end) = poll_fn(|cx| self.poll_idle(cx)).await {
                return end;
            }
            // Boxed, so that a stream that waits does not keep room for handlers.
            match contained(Box::pin(turns(self.process()))).await {
                Some(Ok(())) => {}
                Some(Err(end)) => return end,
                None => return StreamError::internal_server_error().into(),
            }
        }
    }

    /// Handles what still comes on a stream that was closed from here, until the other side closes
    /// it too.
    pub(super) async fn hear_out(&mut self) {
        let core = Arc::clone(self.streams.core());
        loop {
            match self.item() {
                Ok(Some(Item::Element(element))) if !element.is("error", STREAM_NS) => {
                    let handled = contained(Box::pin(turns(self.handle(&core, element)))).await;
                    if !matches!(handled, Some(Ok(()))) {
                        return;
                    }
                }
                Ok(Some(Item::Close | Item::Header(_))) | Err(_) => return,
                Ok(Some(Item::Element(_))) => {}
                Ok(None) => {
                    let filled = poll_fn(|cx| {
                        let _ = self.poll_flush(cx);
                        self.poll_fill(cx)
                    });
                    if !matches!(filled.await, Ok(1..)) {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for input or a command, writing meanwhile.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            let flushed = match self.poll_flush(cx) {
                Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Lost(Some(error)))),
                Poll::Ready(Ok(())) => true,
                Poll::Pending => false,
            };
            if let Some(deadline) = &mut self.deadline {
                if self.session.as_ref().is_some_and(Session::is_established) {
                    self.deadline = None;
                } else if deadline.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(overdue(self.wire.kind).into()));
                }
            }
            // Who does not take its answers gets no more of them.
            if self.wire.queued() < BACKPRESSURE {
                match self.poll_fill(cx) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(End::Lost(Some(error)))),
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(End::Lost(None))),
                    Poll::Ready(Ok(_)) => return Poll::Ready(Ok(())),
                    Poll::Pending => {}
                }
            }
            if self.wire.park(cx.waker(), flushed, true) {
                return Poll::Pending;
            }
            if self.wire.ended().is_some() {
                return Poll::Ready(Err(End::Ordered));
            }
            if self.wire.has_command() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes what waits. Ready when nothing does.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let written = self.poll_write(cx)?;
        if self.unflushed > 0 {
            let flushed = self.io.poll_flush(cx)?;
            self.flushed(self.io.kept());
            ready!(flushed);
        }
        written.map(Ok)
    }

    /// Writes what waits, and closes the writing side with it.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        ready!(self.poll_write(cx))?;
        ready!(self.io.poll_shutdown(cx))?;
        self.flushed(0);
        Poll::Ready(Ok(()))
    }

    /// Hands what waits to the socket, which may keep it until it is flushed.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        loop {
            while let Some(rest @ [_, ..]) = self.writing.get(self.written..) {
                let count = ready!(self.io.poll_write(cx, rest))?;
                if count == 0 {
                    return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
                }
                self.written += count;
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                self.unflushed = self.unflushed.saturating_add(count);
            }
            self.written = 0;
            pool::give(&mut self.writing);
            match self.wire.take(&mut self.writing) {
                Some(elements) => self.traffic().written(elements),
                None => return Poll::Ready(Ok(())),
            }
        }
    }

    /// The system has what was written, but for so many bytes.
    fn flushed(&mut self, kept: usize) {
        let kept = u32::try_from(kept).unwrap_or(u32::MAX).min(self.unflushed);
        let count = (std::mem::replace(&mut self.unflushed, kept) - kept) as usize;
        if count > 0 {
            self.wire.written(count);
            self.traffic().sent(count);
        }
    }

    fn traffic(&self) -> &Counters {
        self.streams.traffic.of(self.wire.kind)
    }

    /// Reads once, when the stream's pace allows.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        if let Err(Flood) = ready!(self.pace.poll(cx)) {
            let text = "you have sent more than the limits allow for too long";
            self.wire.close(Some(StreamError::policy_violation().text(text)));
            return Poll::Pending;
        }
        let mut read = pool::take();
        let filled = self.io.poll_read(cx, &mut read);
        match filled {
            Poll::Ready(Ok(count @ 1..)) => {
                self.pace.read(count);
                self.traffic().received(count);
                self.input.append(&mut read);
                if !self.share.hold(self.in_hand as usize + self.waiting()) {
                    let text = "too much was read and is not handled";
                    let error = StreamError::resource_constraint().text(text);
                    self.wire.close(Some(error));
                }
            }
            _ => pool::give(&mut read),
        }
        filled
    }

    fn xml_limits(&self) -> Limits {
        let limits = &self.settings.limits;
        let is_known = |session: &Session| session.user().is_some() || session.is_established();
        Limits {
            max_stanza: match self.wire.kind {
                _ if !self.session.as_ref().is_some_and(is_known) => limits.unauthenticated_bytes,
                SessionKind::Client => limits.stanza_bytes,
                _ => limits.server_stanza_bytes,
            },
            max_depth: limits.depth,
            max_attributes: limits.attributes,
        }
    }

    /// Handles what was read, one element after the other.
    pub(super) async fn process(&mut self) -> Result<(), End> {
        // Not for each element: all threads count who holds it in one place.
        let core = Arc::clone(self.streams.core());
        loop {
            if self.wire.queued() > BACKPRESSURE {
                let flushed = poll_fn(|cx| self.poll_flush_unless_ended(cx)).await;
                flushed.map_err(|error| End::Lost(Some(error)))?;
            }
            self.commands().await?;
            let element = match self.item()? {
                Some(Item::Element(element)) => element,
                Some(Item::Header(header)) => {
                    Box::pin(self.open(header)).await?;
                    continue;
                }
                Some(Item::Close) => return Err(End::Closed),
                None => break,
            };
            self.handle(&core, element).await?;
        }
        self.ahead.shrink_to_fit();
        self.input.settle();
        self.share.hold(self.input.len());
        Ok(())
    }

    /// What is next, read ahead or not.
    fn item(&mut self) -> Result<Option<Item>, End> {
        self.ahead.pop_front().map_or_else(|| self.next(), |item| item.map(Some))
    }

    fn next(&mut self) -> Result<Option<Item>, End> {
        let limits = self.xml_limits();
        // Only a client has a JID of its own.
        let jid = self.session.as_ref().and_then(Session::jid);
        let item = self.input.next(&limits, jid.map(|jid| jid.as_str()));
        let item = item.map_err(|error| End::Error(error.into()))?;
        if let Some(Item::Element(element)) = &item {
            self.pace.stanza();
            self.traffic().element(element);
        }
        Ok(item)
    }

    fn poll_flush_unless_ended(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let flushed = self.poll_flush(cx);
        if flushed.is_pending() && !self.wire.park(cx.waker(), false, true) {
            return Poll::Ready(Ok(()));
        }
        flushed
    }

    /// Does what handlers asked for, after what they wrote.
    async fn commands(&mut self) -> Result<(), End> {
        while let Some(command) = self.wire.command() {
            match command {
                Command::End => return Err(End::Ordered),
                Command::Restart => self.input.restart(),
                Command::StartTls => {
                    let flush = timeout(HANDSHAKE, poll_fn(|cx| self.poll_flush(cx)));
                    match flush.await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return Err(End::Lost(Some(error))),
                        Err(_) => return Err(End::Silent("the other side does not read")),
                    }
                    // RFC 6120 §5.4.3.3: what came before TLS is not part of the stream within;
                    // somebody in between may have put it there.
                    if !self.input.is_blank() || !self.ahead.is_empty() {
                        return Err(End::Silent("there were bytes between STARTTLS and TLS"));
                    }
                    Box::pin(self.handshake()).await?;
                }
            }
        }
        Ok(())
    }

    /// The host of this name, if this kind of stream can be opened to it.
    fn host(&self, domain: &str) -> Result<Arc<Host>, StreamError> {
        let host = self.streams.core.host(domain).filter(|host| match self.wire.kind {
            SessionKind::Client => self.streams.settings().hosts.contains(host.name()),
            SessionKind::Component => host.settings().secret.is_some(),
            _ => true,
        });
        host.ok_or_else(|| StreamError::host_unknown().text(format!("{domain} is not served here")))
    }

    /// Takes the header that answers ours; features follow as an element.
    fn answered(&mut self, header: Box<StreamHeader>) -> Result<(), End> {
        header::check_namespace(self.wire.kind, &header)?;
        header::check_version(&header)?;
        if let (Some(session), Some(id)) = (&self.session, &header.id) {
            session.set_stream_id(id);
        }
        self.input.opened(header);
        Ok(())
    }

    /// Answers a stream header (RFC 6120 §4.3) and says what the stream offers.
    async fn open(&mut self, header: Box<StreamHeader>) -> Result<(), End> {
        let kind = self.wire.kind;
        if kind == SessionKind::S2sOut {
            return self.answered(header);
        }
        let host = header::domain(kind, &header).and_then(|domain| self.host(&domain));
        let from = host.as_ref().map_or(&*self.settings.default_host, |host| host.name());
        let id = random_id();
        self.wire.open(&header::answer(kind, from, &id, Some(&header)));
        let host = host?;
        if kind != SessionKind::Component {
            header::check_version(&header)?;
        }
        let claimed = if kind == SessionKind::S2sIn { self.claimed(&header)? } else { None };
        let session = match &self.session {
            Some(session) if session.host().name() != host.name() => {
                let text = format!("this stream is to {}", session.host().name());
                return Err(StreamError::host_unknown().text(text).into());
            }
            Some(session) => session.clone(),
            None => {
                self.wire.belongs_to(&host);
                // A reload that removes the host either finds the stream or is found here.
                if host.is_gone() {
                    return Err(host_gone().into());
                }
                let session = Session::new(kind, host, Arc::clone(&self.wire) as _);
                self.session.insert(session).clone()
            }
        };
        session.set_lang(header::lang(&header));
        session.set_stream_id(&id);
        session.set_claimed_domain(claimed.as_deref());
        self.input.opened(header);
        let host = Arc::clone(session.host());
        let features = match kind {
            SessionKind::Component => return Ok(()),
            SessionKind::Client => {
                let event = events::StreamFeatures { session, features: Vec::new() };
                Box::pin(host.fire(event)).await.event.features
            }
            _ => {
                let event = events::S2sStreamFeatures { session, features: Vec::new() };
                Box::pin(host.fire(event)).await.event.features
            }
        };
        let mut xml = b"<stream:features>".to_vec();
        for feature in &features {
            xml.extend_from_slice(feature.as_bytes());
        }
        xml.extend_from_slice(b"</stream:features>");
        self.wire.write(&xml);
        self.streams.core.drain().await;
        Ok(())
    }

    /// Who another server says it is: nobody that is served here.
    fn claimed(&self, header: &StreamHeader) -> Result<Option<String>, StreamError> {
        let claimed = header::claimed(header)?;
        match claimed.as_deref().filter(|domain| self.streams.core.host(domain).is_some()) {
            None => Ok(claimed),
            Some(own) => Err(StreamError::invalid_from().text(format!("{own} is served here"))),
        }
    }

    /// Has one element handled, reading and writing while the handler waits.
    #[expect(clippy::manual_async_fn, reason = "its future is smaller")]
    fn handle(
        &mut self,
        core: &Core,
        element: Element,
    ) -> impl Future<Output = Result<(), End>> + Send {
        async move {
            let Some(session) = self.session.clone() else {
                return Err(StreamError::invalid_xml().text("no stream header").into());
            };
            if element.is("error", STREAM_NS) {
                return Err(End::Refused(Refusal::of(&element)));
            }
            let bytes = element.as_bytes().len();
            let Some(element) = core.intercept(&session, element) else { return Ok(()) };
            self.in_hand = u32::try_from(bytes).unwrap_or(u32::MAX);
            let mut work = pin!(core.receive(&session, element));
            let received = poll_fn(|cx| {
                if let Poll::Ready(received) = work.as_mut().poll(cx) {
                    return Poll::Ready(received.map_err(End::Error));
                }
                // While it waits, no more is kept than what waits with it.
                self.input.settle();
                self.poll_ahead(&session, cx);
                Poll::Pending
            })
            .await;
            self.in_hand = 0;
            received
        }
    }

    /// Writes what waits and reads on, up to a bound.
    fn poll_ahead(&mut self, session: &Session, cx: &mut Context<'_>) {
        loop {
            let has_end = matches!(self.ahead.back(), Some(Err(_) | Ok(Item::Close)));
            let flushed = self.poll_flush(cx);
            if !has_end {
                if let Poll::Ready(Err(error)) = flushed {
                    self.ahead.push_back(Err(End::Lost(Some(error))));
                    return;
                }
                while self.has_room() {
                    match self.poll_fill(cx) {
                        Poll::Pending => break,
                        Poll::Ready(Ok(0)) => self.ahead.push_back(Err(End::Lost(None))),
                        Poll::Ready(Err(error)) => {
                            self.ahead.push_back(Err(End::Lost(Some(error))));
                        }
                        Poll::Ready(Ok(_)) => self.parse_ahead(session),
                    }
                }
            }
            if self.wire.park(cx.waker(), flushed.is_ready(), false) {
                return;
            }
        }
    }

    fn has_room(&self) -> bool {
        let ended = matches!(self.ahead.back(), Some(Err(_) | Ok(Item::Close)));
        !ended && self.waiting() < self.settings.limits.read_ahead_bytes
    }

    /// Bytes read whose turn has not come.
    fn waiting(&self) -> usize {
        let parsed = self.ahead.iter().map(|item| match item {
            Ok(Item::Element(element)) => element.as_bytes().len(),
            _ => 0,
        });
        parsed.sum::<usize>() + self.input.len()
    }

    /// Parses what was read ahead, so that answers reach the handler that waits for them. Before
    /// the stream is established the handler at work may change how the bytes are to be read.
    fn parse_ahead(&mut self, session: &Session) {
        if !session.is_established() || self.wire.has_command() {
            return;
        }
        loop {
            let item = match self.next() {
                Ok(None) => break,
                Ok(Some(Item::Element(element))) => {
                    match self.streams.core.intercept(session, element) {
                        Some(element) => Ok(Item::Element(element)),
                        None => continue,
                    }
                }
                Ok(Some(item)) => Ok(item),
                Err(end) => Err(end),
            };
            let is_end = item.is_err();
            self.ahead.push_back(item);
            if is_end {
                return;
            }
        }
        self.input.settle();
    }
}

fn overdue(kind: SessionKind) -> StreamError {
    let text = match kind {
        SessionKind::Client => "no resource was bound in time",
        _ => "no domain was proved in time",
    };
    StreamError::connection_timeout().text(text)
}
