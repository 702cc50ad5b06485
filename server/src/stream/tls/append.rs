//! Appends what rustls writes to a buffer that grows as needed.

use std::io;

use rustls::unbuffered::{EncodeError, EncryptError, InsufficientSizeError};

/// Why rustls has written no bytes.
pub(super) enum Refused {
    /// The output needs this number of bytes.
    Room(usize),
    Failed(io::Error),
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Self::Room(required_size)
            }
            error => Self::Failed(io::Error::other(error)),
        }
    }
}

impl From<EncryptError> for Refused {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Self::Room(required_size)
            }
            error => Self::Failed(io::Error::other(error)),
        }
    }
}

/// Appends the bytes that `write` produces, about `length` of them.
pub(super) fn append(
    out: &mut Vec<u8>,
    length: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Refused>,
) -> io::Result<()> {
    let start = out.len();
    let mut room = length + 128;
    loop {
        out.resize(start + room, 0);
        match write(out.get_mut(start..).unwrap_or_default()) {
            Ok(count) => {
                out.truncate(start + count);
                return Ok(());
            }
            Err(Refused::Room(needed)) if needed > room => room = needed,
            Err(Refused::Room(_)) => return Err(io::ErrorKind::InvalidData.into()),
            Err(Refused::Failed(error)) => return Err(error),
        }
    }
}
