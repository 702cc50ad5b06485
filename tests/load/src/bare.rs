//! The lower bound of logins: a server that only logs clients in, with STARTTLS, SCRAM-SHA-1 and
//! bind. It has one password, no accounts and no limits. Each step of the client must arrive in one
//! piece and in order.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::options::Res;
use crate::run::Run;
use crate::xmpp::{Verifier, acceptor, decoded};

const ITERATIONS: u32 = 10_000;

struct Shared {
    acceptor: TlsAcceptor,
    scram: Verifier,
    host: String,
}

pub(crate) async fn serve(run: &Run) -> Res<()> {
    let file = |name| std::path::PathBuf::from(run.options.text(name, ""));
    let shared = Arc::new(Shared {
        acceptor: acceptor(&file("cert"), &file("key"))?,
        scram: Verifier::new(run.options.text("pass", "pw"), ITERATIONS),
        host: run.target.host.clone(),
    });
    let listener = TcpListener::bind(run.target.addr).await.map_err(|e| e.to_string())?;
    loop {
        let (socket, _) = listener.accept().await.map_err(|e| e.to_string())?;
        tokio::spawn(connection(socket, shared.clone()));
    }
}

async fn connection(mut socket: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buf = Vec::with_capacity(4096);
    step(&mut socket, &mut buf).await?;
    let tls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    say(&mut socket, &header(&shared, tls)).await?;
    step(&mut socket, &mut buf).await?;
    say(&mut socket, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
    let mut tls = shared.acceptor.accept(socket).await?;

    step(&mut tls, &mut buf).await?;
    let mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                      <mechanism>SCRAM-SHA-1</mechanism></mechanisms>";
    say(&mut tls, &header(&shared, mechanisms)).await?;
    let first = decoded(step(&mut tls, &mut buf).await?)?;
    let (first, challenge) = shared.scram.first(&first).ok_or(ErrorKind::InvalidData)?;
    say(&mut tls, &element("challenge", &challenge)).await?;
    let last = decoded(step(&mut tls, &mut buf).await?)?;
    let answer = shared.scram.last(first, &challenge, &last);
    say(&mut tls, &element("success", &answer.ok_or(ErrorKind::PermissionDenied)?)).await?;

    step(&mut tls, &mut buf).await?;
    let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    say(&mut tls, &header(&shared, bind)).await?;
    step(&mut tls, &mut buf).await?;
    let jid = format!("user@{}/load", shared.host);
    let bound = format!(
        "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <jid>{jid}</jid></bind></iq>"
    );
    say(&mut tls, &bound).await?;
    step(&mut tls, &mut buf).await?;
    say(&mut tls, "</stream:stream>").await?;
    tls.shutdown().await
}

/// Reads the client's next step.
async fn step<'b>(
    stream: &mut (impl AsyncRead + Unpin),
    buf: &'b mut Vec<u8>,
) -> io::Result<&'b [u8]> {
    buf.clear();
    while buf.last() != Some(&b'>') {
        if stream.read_buf(buf).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buf)
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

fn header(shared: &Shared, feature: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream from='{}' id='bare' version='1.0' \
         xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
         <stream:features>{feature}</stream:features>",
        shared.host
    )
}

fn element(name: &str, text: &str) -> String {
    let text = BASE64.encode(text);
    format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{text}</{name}>")
}
