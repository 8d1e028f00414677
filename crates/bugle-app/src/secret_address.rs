//! Mail addresses that nobody can guess: made from an id and the key of the installation.
//!
//! They stand in no table. A forged one is told apart without asking the database.

use data_encoding::BASE32_NOPAD;
use hmac::Mac as _;
use uuid::Uuid;

use crate::app::Inner;

/// Bytes of an address that prove it: 128 bits.
const PROOF_BYTES: usize = 16;
/// Bytes of an id.
const ID_BYTES: usize = 16;

/// What an address is for; one of a kind is none of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// What it begins with, in small letters.
    pub(crate) prefix: &'static str,
    /// What its proof is made for.
    pub(crate) purpose: &'static [u8],
}

impl Inner {
    /// The address of `id`; `None`: Bugle reads no mail.
    pub(crate) fn secret_address(&self, kind: Kind, id: Uuid) -> Option<String> {
        let domain = self.settings.mail_domain.as_ref()?;
        let mut token = id.as_bytes().to_vec();
        let proof = self.mac(kind.purpose, id).finalize().into_bytes();
        token.extend_from_slice(proof.get(..PROOF_BYTES)?);
        // Mail servers may change capitals.
        let digits = BASE32_NOPAD.encode(&token).to_ascii_lowercase();
        Some(format!("{}{digits}@{domain}", kind.prefix))
    }

    /// Whose address begins like this: only one that this installation has made.
    pub(crate) fn id_in_address(&self, kind: Kind, local: &str) -> Option<Uuid> {
        let local = local.to_ascii_lowercase();
        let digits = local.strip_prefix(kind.prefix)?.to_ascii_uppercase();
        let token = BASE32_NOPAD.decode(digits.as_bytes()).ok()?;
        let (id, proof) = token.split_at_checked(ID_BYTES)?;
        let id = Uuid::from_slice(id).ok()?;
        let proven = proof.len() == PROOF_BYTES
            && self.mac(kind.purpose, id).verify_truncated_left(proof).is_ok();
        proven.then_some(id)
    }
}
