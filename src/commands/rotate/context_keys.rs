//! The keys that a step finds, opens and makes.

use zeroize::Zeroizing;

use super::context::{Context, Planned};
use crate::blueprint::Algorithm;
use crate::ca::{self, PrivateKey};
use crate::catalog::CaId;
use crate::error::Error;
use crate::tree::file;
use crate::tree::rotation::Rotating;
use crate::workspace::rotation::files;
use crate::x509::Certificate;

impl Context<'_> {
    /// The tree's own private key file, as it lies there.
    pub fn key(&self, rotating: Rotating) -> Result<Option<&[u8]>, Error> {
        let own = files::of(self.session, rotating)?.into_iter().find(|held| held.is_key);
        Ok(own.and_then(|held| file(&self.snapshot.survey, Some(&held.place))))
    }

    /// Where the key of the authority that signs now is by the profile; `None`: in the tree, or not here.
    pub fn place(&self, authority: CaId) -> Option<&str> {
        self.session.tree.keys.place(authority, self.snapshot.certificate(authority)?)
    }

    /// Opens the keys that a step signs with, or that it keeps; where one does not open, the authority is left as it is. A run that
    /// writes nothing opens nothing.
    pub fn opens(&self, rotating: Rotating, keys: &[(&Certificate, Option<&[u8]>)], planned: &mut Planned) -> bool {
        let Rotating::Authority(authority) = rotating else { return true };
        let ring = &self.session.tree.keys;
        let mut fault = keys.iter().filter_map(|(of, pem)| ring.ready(authority, of, *pem).err());
        match fault.next().filter(|_| self.is_making()) {
            Some(why) => {
                let hint = why.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                planned.left.push(format!("{rotating} stays as it is: {why}{hint}"));
                false
            }
            None => true,
        }
    }

    /// A new key as it is kept: protected as the tree's own is.
    pub fn kept(&self, rotating: Rotating, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        match rotating {
            Rotating::Authority(authority) if self.is_making() => {
                Ok(self.session.tree.keys.kept(authority, self.key(rotating)?, key)?)
            }
            _ => Ok(Zeroizing::new(key.to_pem().as_bytes().to_vec())),
        }
    }

    /// A key as it is kept in the tree or below `.kpki`, opened.
    pub fn opened(&self, rotating: Rotating, pem: &[u8]) -> Result<PrivateKey, Error> {
        match rotating {
            Rotating::Authority(authority) => Ok(self.session.tree.keys.open_kept(authority, pem)?),
            Rotating::ServiceAccount => Ok(PrivateKey::from_pem(pem)?),
        }
    }

    /// A new key, in memory. Where nothing is made, one of the fastest kind stands for it, so that everything else can be decided.
    pub fn generate(&self, algorithm: Algorithm) -> Result<PrivateKey, Error> {
        let algorithm = if self.is_making() { algorithm } else { Algorithm::EcdsaP256 };
        let mut keys = ca::generate_keys(&[algorithm], self.request.run.threads, &mut |_, _| ())?;
        keys.pop().ok_or_else(|| Error::new("no key was generated").hint("report this as a bug"))
    }
}
