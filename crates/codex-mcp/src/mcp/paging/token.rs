//! Resume tokens: what a client gives back to get the next page.
//!
//! A token says which output, from which byte, and which page that is, sealed under a key that belongs to the state
//! directory. It is no secret and grants nothing that its holder was not shown the beginning of; the seal keeps made-up
//! offsets and tokens of other servers out. Whether the output still exists, only its keeper knows.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The layout of the bytes, and what is sealed with them so that no other seal under the key fits.
const VERSION: u8 = 1;
const PURPOSE: &[u8] = b"codex-mcp resume token";

const NAMING: &[u8] = b"codex-mcp output name";

const ID_BYTES: usize = 16;
/// Version, output, offset, page.
const BODY_BYTES: usize = 1 + ID_BYTES + 8 + 4;
const SEAL_BYTES: usize = 32;

/// The name of a kept output; without the key it cannot be guessed. Shown as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutputId(pub [u8; ID_BYTES]);

impl fmt::Display for OutputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for OutputId {
    type Err = InvalidOutputId;

    fn from_str(text: &str) -> Result<Self, InvalidOutputId> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_not_hex| InvalidOutputId)?;
        bytes.try_into().map(Self).map_err(|_length| InvalidOutputId)
    }
}

/// A text that is not an output's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an output: 32 lower-case hexadecimal digits")]
pub struct InvalidOutputId;

/// The key under which tokens are sealed. Whoever has it can make tokens.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// The key of a state directory.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// A name for a text and where it comes from: always the same, and not to be guessed without the key.
    pub(in crate::mcp) fn name<const N: usize>(&self, parts: [&str; N]) -> OutputId {
        let mut name = self.0.clone();
        name.update(NAMING);
        for part in parts {
            // With its length, so that no two lists of parts run together into the same text.
            name.update(&(part.len() as u64).to_be_bytes());
            name.update(part.as_bytes());
        }
        let bytes = name.finalize().into_bytes();
        OutputId(*bytes.first_chunk().expect("a hash has more bytes than a name"))
    }

    fn seal(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut seal = self.0.clone();
        seal.update(PURPOSE);
        seal.update(body);
        seal
    }
}

impl fmt::Debug for TokenKey {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

/// Why a text is not a token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has not the form of a token; a part of it may be missing.
    #[error("the token is incomplete or garbled")]
    Malformed,
    /// It was made by a version that this one does not know.
    #[error("the token was made by another version of the server (format {0})")]
    Version(u8),
    /// Its seal is not ours.
    #[error("the token was changed, or made by a server with another state directory")]
    Forged,
}

/// Where to go on reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumeToken {
    /// The output.
    pub output: OutputId,
    /// From which byte on.
    pub offset: u64,
    /// Which page that is; what stood in the first result is page 1.
    pub page: u32,
}

impl ResumeToken {
    /// The token as text: 82 characters that need no escaping in a URL, in JSON or in a shell.
    #[must_use]
    pub fn seal(&self, key: &TokenKey) -> String {
        let mut bytes = Vec::with_capacity(BODY_BYTES + SEAL_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.output.0);
        bytes.extend(self.offset.to_be_bytes());
        bytes.extend(self.page.to_be_bytes());
        let seal = key.seal(&bytes).finalize().into_bytes();
        bytes.extend(seal);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads a token.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn open(text: &str, key: &TokenKey) -> Result<Self, TokenError> {
        let bytes = BASE64URL_NOPAD.decode(text.trim().as_bytes());
        let bytes = bytes.map_err(|_garbled| TokenError::Malformed)?;
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) if bytes.len() == BODY_BYTES + SEAL_BYTES => {
                return Err(TokenError::Version(version));
            }
            Some(_) | None => return Err(TokenError::Malformed),
        }
        let (body, seal) = bytes.split_at_checked(BODY_BYTES).ok_or(TokenError::Malformed)?;
        if seal.len() != SEAL_BYTES {
            return Err(TokenError::Malformed);
        }
        // In constant time, so that the time does not tell how much of a guess was right.
        key.seal(body).verify_slice(seal).map_err(|_mismatch| TokenError::Forged)?;
        let (output, numbers) = body[1..].split_first_chunk().ok_or(TokenError::Malformed)?;
        let (offset, page) = numbers.split_first_chunk().ok_or(TokenError::Malformed)?;
        let page = page.first_chunk().ok_or(TokenError::Malformed)?;
        Ok(Self {
            output: OutputId(*output),
            offset: u64::from_be_bytes(*offset),
            page: u32::from_be_bytes(*page),
        })
    }
}
