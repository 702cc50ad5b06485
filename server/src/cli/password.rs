//! Reads passwords from a terminal or a pipe, never from arguments, which other users can see.

use std::io::{self, BufRead, IsTerminal};

use zeroize::Zeroizing;

use super::CliError;

/// Where a new password comes from.
pub trait AskPassword {
    /// Asks for the password twice on a terminal.
    ///
    /// # Errors
    ///
    /// There is no terminal, or the two passwords differ.
    fn ask(&mut self) -> Result<Zeroizing<String>, CliError>;

    /// Reads one line, without the end of the line.
    ///
    /// # Errors
    ///
    /// Nothing can be read.
    fn read_line(&mut self) -> Result<Zeroizing<String>, CliError>;
}

/// The terminal and the standard input of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal;

impl AskPassword for Terminal {
    fn ask(&mut self) -> Result<Zeroizing<String>, CliError> {
        if !io::stdin().is_terminal() {
            return Err(CliError::Password(
                "there is no terminal to ask for the password; use --password-stdin",
            ));
        }
        let prompt = |text: &str| {
            let error = |source| CliError::Io { what: "cannot read the password".into(), source };
            rpassword::prompt_password(text).map(Zeroizing::new).map_err(error)
        };
        let password = prompt("Password: ")?;
        if *prompt("Password, once more: ")? != *password {
            return Err(CliError::Password("the passwords differ"));
        }
        Ok(password)
    }

    fn read_line(&mut self) -> Result<Zeroizing<String>, CliError> {
        first_line(&mut io::stdin().lock())
    }
}

/// Reads the first line, which must not be empty.
pub(super) fn first_line(input: &mut dyn BufRead) -> Result<Zeroizing<String>, CliError> {
    let mut line = Zeroizing::new(String::new());
    let error = |source| CliError::Io { what: "cannot read the password".into(), source };
    input.read_line(&mut line).map_err(error)?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(CliError::Password("no password on standard input"));
    }
    Ok(Zeroizing::new(password.to_owned()))
}
