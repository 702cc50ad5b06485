//! From the raw config to a checked one: names normalised, addresses parsed, contradictions found.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jid::{BareJid, DomainPart};
use serde::de::IgnoredAny;
use spondee_modules::saslauth::Mechanism;
use toml::Spanned;

use super::Secret;
use super::database::DatabaseUrl;
use super::error::{ConfigError, nearest};
use super::options::ModuleOptions;
use super::raw::{Raw, RawComponent, RawHost, RawListen, RawS2s, RawStorage, RawTls};
use super::source::{Source, dotted};
use super::{
    BareJidText, ComponentConfig, Config, HostConfig, Listen, ListenKind, ModuleName, Modules, S2s,
    Storage, TlsFiles,
};

pub(super) fn check(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let source = Arc::new(Source::new(file.display().to_string(), text));
    let raw: Raw = source.read(&source.tree()?, &[])?;
    Checker { source, folder: file.parent().map(Path::to_owned).unwrap_or_default() }
        .config(file, raw)
}

/// Clients with STARTTLS and with TLS, on every address.
pub(super) fn default_listeners() -> Vec<Listen> {
    [ListenKind::C2s, ListenKind::C2sTls]
        .map(|kind| Listen { kind, address: kind.default_address(), place: None })
        .to_vec()
}

/// What is listened on where a config lists nothing. Hosts that somebody has named are to be reached
/// by other servers; components come from this machine.
fn listeners(has_names: bool, component: &BTreeMap<String, ComponentConfig>) -> Vec<Listen> {
    let has_secret = component.values().any(|component| component.secret.is_some());
    let servers = has_names.then_some(ListenKind::S2s);
    let more = servers.into_iter().chain(has_secret.then_some(ListenKind::Component));
    let more = more.map(|kind| Listen { kind, address: kind.default_address(), place: None });
    default_listeners().into_iter().chain(more).collect()
}

/// A server without a name of its own serves this machine.
pub(super) fn default_hosts() -> BTreeMap<String, HostConfig> {
    let host = HostConfig {
        modules: Modules::default(),
        admins: Vec::new(),
        sasl: None,
        allow_plaintext: false,
        tls: None,
        module: BTreeMap::new(),
        place: None,
    };
    BTreeMap::from([("localhost".to_owned(), host)])
}

struct Checker {
    source: Arc<Source>,
    folder: PathBuf,
}

type Checked<T> = Result<T, ConfigError>;
type RawModules = BTreeMap<Spanned<String>, BTreeMap<String, IgnoredAny>>;

impl Checker {
    fn config(&self, file: &Path, raw: Raw) -> Checked<Config> {
        let mut host = BTreeMap::new();
        for (name, raw) in raw.host {
            let domain = self.domain(&name, "host")?;
            let checked = self.host(&name, raw)?;
            if host.insert(domain.clone(), checked).is_some() {
                return Err(self.twice(&name, "host", &domain));
            }
        }
        let mut component = BTreeMap::new();
        for (name, raw) in raw.component {
            let domain = self.domain(&name, "component")?;
            let checked = self.component(&name, raw)?;
            let known = host.contains_key(&domain);
            if component.insert(domain.clone(), checked).is_some() || known {
                return Err(self.twice(&name, "component", &domain));
            }
        }
        let has_names = !host.is_empty() || !component.is_empty();
        if !has_names {
            host = default_hosts();
        }
        if let Some((key, least)) = raw.limits.too_small() {
            let path = owned(&["limits", key]);
            let place = self.source.place_of(&path);
            let message = format!("too small, the least is {least}");
            return Err(ConfigError::Value { place, key: dotted(&path), message });
        }
        let mut log = raw.log;
        log.file = log.file.map(|path| self.path(path));
        Ok(Config {
            file: Some(file.to_owned()),
            data: self.path(raw.data.unwrap_or_else(|| PathBuf::from("data"))),
            data_is_given: false,
            threads: raw.threads.unwrap_or_else(super::threads),
            listen: match raw.listen {
                Some(all) => self.listen(all)?,
                None => listeners(has_names, &component),
            },
            tls: raw.tls.map(|tls| self.tls(tls)),
            host,
            component,
            s2s: self.s2s(raw.s2s)?,
            storage: self.storage(raw.storage)?,
            log,
            limits: raw.limits,
        })
    }

    fn host(&self, name: &Spanned<String>, raw: RawHost) -> Checked<HostConfig> {
        let at = ["host", name.get_ref().as_str()];
        Ok(HostConfig {
            modules: self.modules(&at, raw.modules)?,
            admins: self.admins(&at, raw.admins)?,
            sasl: raw.sasl.map(|names| self.mechanisms(&at, names)).transpose()?,
            allow_plaintext: raw.allow_plaintext,
            tls: raw.tls.map(|tls| self.tls(tls)),
            module: self.options(&at, raw.module),
            place: Some(self.source.place(name.span())),
        })
    }

    fn component(&self, name: &Spanned<String>, raw: RawComponent) -> Checked<ComponentConfig> {
        let at = ["component", name.get_ref().as_str()];
        if let Some(secret) = raw.secret.as_ref().filter(|secret| secret.get_ref().is_empty()) {
            let message = "empty; choose a secret, or leave the key out".to_owned();
            return Err(self.value(secret, &[&at[..], &["secret"]].concat(), message));
        }
        Ok(ComponentConfig {
            secret: raw.secret.map(Spanned::into_inner),
            modules: self.modules(&at, raw.modules)?,
            admins: self.admins(&at, raw.admins)?,
            tls: raw.tls.map(|tls| self.tls(tls)),
            module: self.options(&at, raw.module),
            place: Some(self.source.place(name.span())),
        })
    }

    fn listen(&self, all: Vec<RawListen>) -> Checked<Vec<Listen>> {
        let mut checked: Vec<Listen> = Vec::with_capacity(all.len());
        for raw in all {
            let kind = *raw.kind.get_ref();
            let address = match &raw.address {
                Some(text) => self.address(text, &["listen", "address"])?,
                None => kind.default_address(),
            };
            let span = raw.address.as_ref().map_or(raw.kind.span(), Spanned::span);
            let place = self.source.place(span.clone());
            // Port 0 asks the system for a free one, so it may be there any number of times.
            let taken =
                checked.iter().find(|other| other.address == address && address.port() != 0);
            if let Some(Listen { place: Some(first), .. }) = taken {
                let message = format!("{address} is listened on already, in line {}", first.line);
                return Err(self.value(&Spanned::new(span, ()), &["listen", "address"], message));
            }
            checked.push(Listen { kind, address, place: Some(place) });
        }
        Ok(checked)
    }

    fn modules(&self, at: &[&str], raw: Option<Vec<Spanned<String>>>) -> Checked<Modules> {
        let Some(raw) = raw else {
            return Ok(Modules::default());
        };
        let key = [at, &["modules"]].concat();
        let (mut add, mut remove, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen: Vec<String> = Vec::new();
        for item in raw {
            let text = item.get_ref();
            let (list, name) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
                (Some(name), _) => (&mut add, name),
                (_, Some(name)) => (&mut remove, name),
                _ => (&mut plain, text.as_str()),
            };
            let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(valid) {
                let message = format!(
                    "\"{text}\" is not a module's name: small letters, digits and _ with + or - \
                     in front, or without"
                );
                return Err(self.value(&item, &key, message));
            }
            if seen.iter().any(|other| other == name) {
                return Err(self.value(&item, &key, format!("\"{name}\" is there twice")));
            }
            seen.push(name.to_owned());
            let place = self.source.place(item.span());
            list.push(ModuleName { name: name.to_owned(), place });
            if !plain.is_empty() && add.len() + remove.len() > 0 {
                let message = "either every name has a + or a - (changes to the defaults), or none \
                               has (the whole list)";
                return Err(self.value(&item, &key, message.to_owned()));
            }
        }
        Ok(if add.is_empty() && remove.is_empty() {
            Modules::Exactly(plain)
        } else {
            Modules::Defaults { add, remove }
        })
    }

    fn admins(&self, at: &[&str], raw: Vec<Spanned<String>>) -> Checked<Vec<BareJidText>> {
        let parse = |item: Spanned<String>| match BareJid::new(item.get_ref()) {
            Ok(jid) if jid.node().is_some() => Ok(BareJidText(jid)),
            _ => {
                let message = format!("\"{}\" is not a bare JID (user@host)", item.get_ref());
                Err(self.value(&item, &[at, &["admins"]].concat(), message))
            }
        };
        raw.into_iter().map(parse).collect()
    }

    fn mechanisms(
        &self,
        at: &[&str],
        raw: Spanned<Vec<Spanned<String>>>,
    ) -> Checked<Vec<Mechanism>> {
        let key = [at, &["sasl"]].concat();
        if raw.get_ref().is_empty() {
            let message = "empty: nobody could log in; leave the key out to offer all".to_owned();
            return Err(self.value(&raw, &key, message));
        }
        let parse = |item: Spanned<String>| {
            item.get_ref().parse().map_err(|_| {
                let names = Mechanism::ALL.map(Mechanism::name);
                let near = nearest(item.get_ref(), names);
                let hint = near.first().map_or_else(
                    || format!("known: {}", names.join(", ")),
                    |name| format!("did you mean \"{name}\"?"),
                );
                let message = format!("unknown mechanism \"{}\"; {hint}", item.get_ref());
                self.value(&item, &key, message)
            })
        };
        raw.into_inner().into_iter().map(parse).collect()
    }

    fn options(&self, at: &[&str], raw: RawModules) -> BTreeMap<String, ModuleOptions> {
        let read = |(name, _): (Spanned<String>, _)| {
            let path = [at, &["module", name.get_ref()]].concat();
            let place = self.source.place(name.span());
            let options = ModuleOptions::new(&self.source, owned(&path), place);
            (name.into_inner(), options)
        };
        raw.into_iter().map(read).collect()
    }

    fn storage(&self, raw: RawStorage) -> Checked<Storage> {
        let parse = |url: Spanned<Secret>| {
            DatabaseUrl::parse(url.get_ref().clone())
                .map_err(|message| self.value(&url, &["storage", "url"], message.to_owned()))
        };
        Ok(Storage { url: raw.url.map(parse).transpose()? })
    }

    fn s2s(&self, raw: RawS2s) -> Checked<S2s> {
        let mut routes = BTreeMap::new();
        for (name, target) in raw.routes {
            let domain = self.domain(&name, "s2s.routes")?;
            let port = target.get_ref().rsplit_once(':').map(|(host, port)| (host, port.parse()));
            if !matches!(port, Some((host, Ok(1..=u16::MAX))) if !host.is_empty()) {
                let message = format!("\"{}\" is not an address (name:port)", target.get_ref());
                return Err(self.value(&target, &["s2s", "routes", name.get_ref()], message));
            }
            if routes.insert(domain.clone(), target.into_inner()).is_some() {
                return Err(self.twice(&name, "s2s.routes", &domain));
            }
        }
        let dns = raw.dns.as_ref().map(|text| self.address(text, &["s2s", "dns"])).transpose()?;
        let authorities = raw.authorities.map(|path| self.path(path));
        let S2s { queue_stanzas, queue_bytes, idle_seconds, .. } = S2s::default();
        Ok(S2s {
            authorities,
            dialback: raw.dialback,
            dns,
            routes,
            queue_stanzas: self.at_least(raw.queue_stanzas, "queue_stanzas", 1, queue_stanzas)?,
            queue_bytes: self.at_least(raw.queue_bytes, "queue_bytes", 64 * 1024, queue_bytes)?,
            idle_seconds: self.at_least(raw.idle_seconds, "idle_seconds", 1, idle_seconds)?,
        })
    }

    /// A number of `[s2s]` that is not too small, or the default.
    fn at_least<N: Copy + PartialOrd + std::fmt::Display>(
        &self,
        number: Option<Spanned<N>>,
        key: &str,
        least: N,
        default: N,
    ) -> Checked<N> {
        match number {
            None => Ok(default),
            Some(number) if *number.get_ref() >= least => Ok(*number.get_ref()),
            Some(number) => {
                let message = format!("must be at least {least}");
                Err(self.value(&number, &["s2s", key], message))
            }
        }
    }

    fn tls(&self, raw: Spanned<RawTls>) -> TlsFiles {
        let place = self.source.place(raw.span());
        let RawTls { certificate, key } = raw.into_inner();
        TlsFiles { certificate: self.path(certificate), key: self.path(key), place }
    }

    fn address(&self, text: &Spanned<String>, key: &[&str]) -> Checked<SocketAddr> {
        text.get_ref().parse().map_err(|_| {
            let message = format!(
                "\"{}\" is not an address and port, like \"127.0.0.1:5222\" or \"[::]:5222\"",
                text.get_ref()
            );
            self.value(text, key, message)
        })
    }

    fn domain(&self, name: &Spanned<String>, table: &str) -> Checked<String> {
        match DomainPart::new(name.get_ref()) {
            Ok(domain) => Ok(domain.as_str().to_owned()),
            Err(error) => {
                let message = format!("not a domain name: {error}");
                Err(self.value(name, &[table, name.get_ref()], message))
            }
        }
    }

    fn twice(&self, name: &Spanned<String>, table: &str, domain: &str) -> ConfigError {
        let message = format!("the domain {domain} is there twice");
        self.value(name, &[table, name.get_ref()], message)
    }

    fn value<T>(&self, at: &Spanned<T>, key: &[&str], message: String) -> ConfigError {
        ConfigError::Value {
            place: self.source.place(at.span()),
            key: dotted(&owned(key)),
            message,
        }
    }

    fn path(&self, path: PathBuf) -> PathBuf {
        self.folder.join(path)
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}
