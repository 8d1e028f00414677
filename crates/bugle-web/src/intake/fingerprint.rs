//! Alertmanager's fingerprint of a label set: what tells two alerts apart.

use std::collections::BTreeMap;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;
/// Never occurs in UTF-8, so names and values can't run into each other.
const SEPARATOR: u8 = 255;

/// FNV-1a, 64 bits, over all pieces as one.
pub(super) fn fnv1a<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let bytes = pieces.into_iter().flatten();
    bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// The fingerprint of `labels` in 16 hex digits.
///
/// Source: prometheus/common, `model/signature.go`, `labelSetToFingerprint`: FNV-1a over name,
/// 0xff, value, 0xff of each label in order of their names.
pub(super) fn of(labels: &BTreeMap<String, String>) -> String {
    let separator: &[u8] = &[SEPARATOR];
    let pieces = labels
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), separator, value.as_bytes(), separator]);
    format!("{:016x}", fnv1a(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_alertmanager() {
        let labels = |instance: &str| {
            BTreeMap::from(
                [
                    ("alertname", "DiskFull"),
                    ("cluster", "c1"),
                    ("instance", instance),
                    ("severity", "critical"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            )
        };
        // As Alertmanager 0.25 itself sent them.
        assert_eq!(of(&labels("db1:9100")), "422449101b673b62");
        assert_eq!(of(&labels("db2:9100")), "1a04ebd5520db443");
    }
}
