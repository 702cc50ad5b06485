//! What modules offer each other on a host, as traits: [`Host::provide`](crate::Host::provide)
//! and [`Host::service`](crate::Host::service).
