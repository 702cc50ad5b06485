//! A DNS server that knows a few records, on UDP and TCP.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use super::super::resolve::Resolver;
use crate::config::S2s;

/// The answer to a query for a name.
#[derive(Clone)]
enum Answer {
    Records(Vec<RData>),
    Failure(ResponseCode),
    Silence,
}

/// The records that a [`Dns`] serves.
#[derive(Default)]
pub(crate) struct Zone(HashMap<(Name, RecordType), Answer>);

pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A TCP and a UDP socket with the same port.
async fn sockets() -> (TcpListener, UdpSocket) {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Another process may have the UDP port.
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            return (listener, socket);
        }
    }
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap()
}

impl Zone {
    /// Adds a record `"PRIORITY WEIGHT PORT TARGET"`, as zone files have it.
    pub(crate) fn srv(mut self, at: &str, record: &str) -> Self {
        let mut parts = record.split(' ');
        let mut number = || parts.next().unwrap().parse().unwrap();
        let (priority, weight, port) = (number(), number(), number());
        let target = name(parts.next().unwrap());
        self.add(at, RData::SRV(SRV::new(priority, weight, port, target)));
        self
    }

    pub(crate) fn ip(mut self, at: &str, ip: &str) -> Self {
        let data = match ip.parse().unwrap() {
            IpAddr::V4(ip) => RData::A(A(ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
        };
        self.add(at, data);
        self
    }

    pub(crate) fn failing(mut self, at: &str, kind: RecordType) -> Self {
        self.0.insert((name(at), kind), Answer::Failure(ResponseCode::ServFail));
        self
    }

    pub(crate) fn silent(mut self, at: &str, kind: RecordType) -> Self {
        self.0.insert((name(at), kind), Answer::Silence);
        self
    }

    fn add(&mut self, at: &str, data: RData) {
        let answer =
            self.0.entry((name(at), data.record_type())).or_insert(Answer::Records(Vec::new()));
        let Answer::Records(records) = answer else { panic!("queries for {at} are set to fail") };
        records.push(data);
    }

    pub(crate) async fn serve(self) -> Dns {
        let (listener, socket) = sockets().await;
        let address = socket.local_addr().unwrap();
        let zone = Arc::new(self);
        let long = tokio::spawn(zone.clone().serve_tcp(listener));
        let short = tokio::spawn(async move {
            let mut bytes = [0; 4096];
            loop {
                let (length, peer) = socket.recv_from(&mut bytes).await.unwrap();
                let Some(mut answer) = zone.answer(&bytes[..length]) else { continue };
                if answer.to_vec().unwrap().len() > 512 {
                    answer.answers.clear();
                    answer.metadata.truncation = true;
                }
                socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
            }
        });
        Dns { address, tasks: [short, long] }
    }

    async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            while let Ok(length) = stream.read_u16().await {
                let mut bytes = vec![0; length.into()];
                stream.read_exact(&mut bytes).await.unwrap();
                let Some(answer) = self.answer(&bytes) else { continue };
                let answer = answer.to_vec().unwrap();
                stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        }
    }

    fn answer(&self, question: &[u8]) -> Option<Message> {
        let question = Message::from_vec(question).unwrap();
        let query = question.queries[0].clone();
        let mut answer = Message::response(question.id, OpCode::Query);
        let key = (query.name().to_lowercase(), query.query_type());
        match self.0.get(&key) {
            Some(Answer::Silence) => return None,
            Some(Answer::Failure(code)) => answer.metadata.response_code = *code,
            Some(Answer::Records(all)) => {
                for data in all {
                    let record = Record::from_rdata(query.name().clone(), 60, data.clone());
                    answer.add_answer(record);
                }
            }
            None if self.0.keys().any(|(name, _)| *name == key.0) => {}
            None => answer.metadata.response_code = ResponseCode::NXDomain,
        }
        answer.add_query(query);
        Some(answer)
    }
}

impl Dns {
    pub(crate) fn config(&self) -> S2s {
        S2s { dns: Some(self.address), private: true, ..S2s::default() }
    }

    pub(crate) fn resolver(&self) -> Resolver {
        Resolver::new(&self.config())
    }
}
