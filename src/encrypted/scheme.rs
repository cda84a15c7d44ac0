//! Password-based encryption: PBES2 (RFC 8018 section 6.2) and PKCS#12's own schemes (RFC 7292 appendix C).

use zeroize::Zeroizing;

use super::EncryptionError;
use super::budget::Budget;
use super::cipher::Cipher;
use super::derive::{self, Hash, Purpose};
use super::params::{self, ids, number};
use crate::encoding::algorithm::{self, AlgorithmIdentifier};
use crate::encoding::tlv::{self, Element, Fields, NotDer};

/// Of a salt, in bytes; honest ones have 8 to 64.
const LONGEST_SALT: usize = 1024;
/// What scrypt may take, in bytes: 16 times what OpenSSL asks for.
const MOST_MEMORY: u64 = 256 << 20;

/// How something is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    Pbes2 {
        derivation: Derivation,
        cipher: Cipher,
        iv: Vec<u8>,
    },
    /// Key and initialisation vector both come from the password, by SHA-1.
    Pkcs12 {
        cipher: Cipher,
        salt: Vec<u8>,
        iterations: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derivation {
    Pbkdf2 {
        salt: Vec<u8>,
        iterations: u64,
        key_length: Option<u64>,
        hash: Hash,
    },
    /// RFC 7914.
    Scrypt {
        salt: Vec<u8>,
        cost: u64,
        block_size: u64,
        parallel: u64,
        key_length: Option<u64>,
    },
}

impl Scheme {
    /// From an AlgorithmIdentifier.
    pub fn read(algorithm: &[u8]) -> Result<Self, EncryptionError> {
        let broken = |NotDer| EncryptionError::Malformed("encryption algorithm");
        let outer = AlgorithmIdentifier::read(algorithm).map_err(broken)?;
        let parameters = outer.parameters.ok_or(NotDer).map_err(broken)?;
        let Some(cipher) = params::pkcs12_cipher(outer.id) else {
            if outer.id != ids::PBES2 {
                return Err(params::unsupported("password-based encryption", outer.id));
            }
            let (derivation, encryption) = pair(parameters).map_err(broken)?;
            let encryption = AlgorithmIdentifier::read(encryption.raw).map_err(broken)?;
            let cipher = params::cipher(encryption.id)?;
            let iv = encryption.parameters.ok_or(NotDer).and_then(|iv| iv.of(tlv::OCTET_STRING)).map_err(broken)?;
            if iv.len() != cipher.block_length() {
                return Err(EncryptionError::Malformed("initialisation vector"));
            }
            return Ok(Self::Pbes2 { derivation: Derivation::read(derivation.raw)?, cipher, iv: iv.to_vec() });
        };
        let (salt, iterations) = pair(parameters).map_err(broken)?;
        let salt = self::salt(salt.of(tlv::OCTET_STRING).map_err(broken)?)?;
        Ok(Self::Pkcs12 { cipher, salt, iterations: number(iterations).map_err(broken)? })
    }

    /// PBKDF2 with HMAC-SHA-256 and AES-256-CBC.
    pub fn modern(salt: &[u8; 16], iv: &[u8; 16], iterations: u32) -> Self {
        let iterations = u64::from(iterations);
        let derivation = Derivation::Pbkdf2 { salt: salt.to_vec(), iterations, key_length: None, hash: Hash::Sha256 };
        Self::Pbes2 { derivation, cipher: Cipher::Aes256, iv: iv.to_vec() }
    }

    /// pbeWithSHAAnd3-KeyTripleDES-CBC: the one scheme every reader of PKCS#12 has had since 1999.
    pub fn legacy(salt: &[u8; 8], iterations: u32) -> Self {
        Self::Pkcs12 { cipher: Cipher::TripleDes, salt: salt.to_vec(), iterations: u64::from(iterations) }
    }

    /// The AlgorithmIdentifier of what [`Self::modern`] and [`Self::legacy`] make; others are only read.
    pub fn to_der(&self) -> Result<Vec<u8>, EncryptionError> {
        let counted = |salt: &[u8], iterations: u64| {
            [tlv::write(tlv::OCTET_STRING, salt), tlv::integer(&iterations.to_be_bytes())].concat()
        };
        match self {
            Self::Pbes2 { derivation: Derivation::Pbkdf2 { salt, iterations, .. }, iv, .. } => {
                // No key length: the cipher says it.
                let prf = algorithm::write(ids::HMAC_SHA256, &[tlv::NULL, 0]);
                let derivation = algorithm::write(ids::PBKDF2, &tlv::sequence(&[counted(salt, *iterations), prf]));
                let cipher = algorithm::write(ids::AES_256_CBC, &tlv::write(tlv::OCTET_STRING, iv));
                Ok(algorithm::write(ids::PBES2, &tlv::sequence(&[derivation, cipher])))
            }
            Self::Pkcs12 { salt, iterations, .. } => {
                Ok(algorithm::write(ids::SHA1_TRIPLE_DES, &tlv::sequence(&[counted(salt, *iterations)])))
            }
            Self::Pbes2 { .. } => Err(EncryptionError::Malformed("key derivation")),
        }
    }

    pub(super) fn decrypt(
        &self,
        password: Option<&str>,
        data: &[u8],
        budget: &mut Budget,
    ) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
        let (cipher, key, iv) = self.keys(password, budget)?;
        cipher.decrypt(&key, &iv, data)
    }

    pub(super) fn encrypt(&self, password: Option<&str>, data: &[u8]) -> Result<Vec<u8>, EncryptionError> {
        let (cipher, key, iv) = self.keys(password, &mut Budget::full())?;
        cipher.encrypt(&key, &iv, data)
    }

    fn keys(&self, password: Option<&str>, budget: &mut Budget) -> Result<Keys, EncryptionError> {
        match self {
            Self::Pbes2 { derivation, cipher, iv } => {
                let key = derivation.derive(password, cipher.key_length(), budget)?;
                Ok((*cipher, key, Zeroizing::new(iv.clone())))
            }
            Self::Pkcs12 { cipher, salt, iterations } => {
                let iterations = budget.spend(*iterations)?;
                let derive = |purpose, length| derive::pkcs12(Hash::Sha1, purpose, password, salt, iterations, length);
                let key = derive(Purpose::Key, cipher.key_length());
                Ok((*cipher, key, derive(Purpose::Iv, cipher.block_length())))
            }
        }
    }
}

type Keys = (Cipher, Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

/// The two fields of a SEQUENCE.
pub(super) fn pair(sequence: Element<'_>) -> Result<(Element<'_>, Element<'_>), NotDer> {
    let mut fields = Fields::of(sequence.of(tlv::SEQUENCE)?);
    let pair = (fields.element()?, fields.element()?);
    fields.end().map(|()| pair)
}

fn salt(octets: &[u8]) -> Result<Vec<u8>, EncryptionError> {
    if octets.len() > LONGEST_SALT { Err(EncryptionError::Malformed("salt")) } else { Ok(octets.to_vec()) }
}

impl Derivation {
    /// From an AlgorithmIdentifier.
    pub fn read(algorithm: &[u8]) -> Result<Self, EncryptionError> {
        let broken = |NotDer| EncryptionError::Malformed("key derivation");
        let outer = AlgorithmIdentifier::read(algorithm).map_err(broken)?;
        let parameters = outer.parameters.ok_or(NotDer).and_then(|all| all.of(tlv::SEQUENCE)).map(Fields::of);
        let parameters = parameters.map_err(broken)?;
        match outer.id {
            ids::PBKDF2 => Self::pbkdf2(parameters),
            ids::SCRYPT => Self::scrypt(parameters).map_err(broken),
            _ => Err(params::unsupported("key derivation", outer.id)),
        }
    }

    /// RFC 8018 appendix A.2.
    fn pbkdf2(mut fields: Fields<'_>) -> Result<Self, EncryptionError> {
        let mut read = || {
            let (salt, iterations) = (fields.take(tlv::OCTET_STRING)?, number(fields.element()?)?);
            let key_length = fields.optional(tlv::INTEGER)?.map(number).transpose()?;
            let prf = fields.any()?.map(|prf| AlgorithmIdentifier::read(prf.raw)).transpose()?;
            fields.end().map(|()| (salt, iterations, key_length, prf))
        };
        let (octets, iterations, key_length, prf) =
            read().map_err(|NotDer| EncryptionError::Malformed("key derivation"))?;
        // DEFAULT algid-hmacWithSHA1
        let hash = prf.map_or(Ok(Hash::Sha1), |prf| params::prf(prf.id))?;
        Ok(Self::Pbkdf2 { salt: salt(octets)?, iterations, key_length, hash })
    }

    /// RFC 7914 section 7.
    fn scrypt(mut fields: Fields<'_>) -> Result<Self, NotDer> {
        let salt = salt(fields.take(tlv::OCTET_STRING)?).map_err(|_| NotDer)?;
        let (cost, block_size, parallel) =
            (number(fields.element()?)?, number(fields.element()?)?, number(fields.element()?)?);
        let key_length = fields.any()?.map(number).transpose()?;
        fields.end()?;
        Ok(Self::Scrypt { salt, cost, block_size, parallel, key_length })
    }

    /// PBES2 takes the password as octets, here UTF-8; none is the same as an empty one.
    pub(super) fn derive(
        &self,
        password: Option<&str>,
        length: usize,
        budget: &mut Budget,
    ) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
        let (Self::Pbkdf2 { key_length, .. } | Self::Scrypt { key_length, .. }) = self;
        if key_length.is_some_and(|stated| u64::try_from(length) != Ok(stated)) {
            return Err(EncryptionError::Malformed("key length"));
        }
        let password = password.unwrap_or_default().as_bytes();
        match self {
            Self::Pbkdf2 { salt, iterations, hash, .. } => {
                derive::pbkdf2(*hash, password, salt, budget.spend(*iterations)?, length)
            }
            Self::Scrypt { salt, cost, block_size, parallel, .. } => {
                let memory = cost.saturating_mul(*block_size).saturating_mul(128);
                if memory > MOST_MEMORY {
                    return Err(EncryptionError::TooMuchMemory { asked: memory, most: MOST_MEMORY });
                }
                budget.spend(cost.saturating_mul(*block_size).saturating_mul(*parallel))?;
                scrypt_key(password, salt, *cost, *block_size, *parallel, length)
            }
        }
    }
}

fn scrypt_key(
    password: &[u8],
    salt: &[u8],
    cost: u64,
    block_size: u64,
    parallel: u64,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let broken = || EncryptionError::Malformed("scrypt parameters");
    let log = u8::try_from(cost.trailing_zeros()).ok().filter(|_| cost.is_power_of_two()).ok_or_else(broken)?;
    let (r, p) = (u32::try_from(block_size).map_err(|_| broken())?, u32::try_from(parallel).map_err(|_| broken())?);
    let parameters = scrypt::Params::new(log, r, p).map_err(|_| broken())?;
    let mut key = Zeroizing::new(vec![0; length]);
    scrypt::scrypt(password, salt, &parameters, &mut key).map_err(|_| broken())?;
    Ok(key)
}
