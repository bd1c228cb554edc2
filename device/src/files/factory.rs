//! The files that the module is delivered with, so that a DTE has something to attach.
//!
//! Their content never changes, so a profile can list sizes and hashes. The pictures of note 3.2
//! begin with the SOI and APP0 segments of a JFIF file and end with its EOI marker; the bytes
//! between are the top eight bits of the linear congruential sequence
//! `x ← 1664525·x + 1013904223 (mod 2³²)`, without `0xFF` so that no marker appears, the first `x`
//! being the size of the file. The text files say which they are. `big.bin` has as many octets as all
//! attachments of a mail may have (note chapter 1: 10 MB), every one of them zero, so that it takes
//! no room of the host.

use std::sync::LazyLock;

/// A delivered file.
pub(crate) struct FactoryFile {
    /// Its directory, below the drive; empty for the drive itself.
    pub(crate) directory: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// Its octets.
    pub(crate) content: Content,
}

/// The octets of a delivered file.
pub(crate) enum Content {
    /// These.
    Octets(Vec<u8>),
    /// So many zeros.
    Zeros(u64),
}

impl Content {
    /// How many they are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::Zeros(count) => *count,
        }
    }
}

/// The file that is as large as all attachments may be.
const BIG: (&str, u64) = ("big.bin", 10 * 1024 * 1024);

/// The pictures of note 3.2: name and size in octets.
const PICTURES: [(&str, u32); 2] = [
    ("20100202_100006.jpg", 18_204),
    ("20100202_100016.jpg", 21_377),
];

/// The delivered files, the big one last if it is wanted; made once, because modules are made by
/// the hundred.
pub(crate) fn files(big: bool) -> impl Iterator<Item = &'static FactoryFile> {
    static FILES: LazyLock<Vec<FactoryFile>> = LazyLock::new(make);
    FILES.iter().filter(move |file| big || file.name != BIG.0)
}

fn make() -> Vec<FactoryFile> {
    let pictures = PICTURES.iter().map(|(name, size)| FactoryFile {
        directory: "Picture",
        name: (*name).to_owned(),
        content: Content::Octets(picture(*size)),
    });
    let texts = (1..=10).map(|number| FactoryFile {
        directory: "",
        name: format!("file{number}.txt"),
        content: Content::Octets(text(number).into_bytes()),
    });
    let (name, size) = BIG;
    let big = FactoryFile {
        directory: "",
        name: name.to_owned(),
        content: Content::Zeros(size),
    };
    pictures.chain(texts).chain([big]).collect()
}

/// SOI, then APP0: JFIF 1.01, no unit, density 1 by 1, no thumbnail.
const HEAD: [u8; 20] = *b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
/// EOI.
const TAIL: [u8; 2] = *b"\xff\xd9";

fn picture(size: u32) -> Vec<u8> {
    let filling = usize::try_from(size)
        .unwrap_or_default()
        .saturating_sub(HEAD.len() + TAIL.len());
    let noise = std::iter::successors(Some(size), |x| {
        Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    });
    let noise = noise
        .skip(1)
        .map(|x| x.to_be_bytes()[0])
        .filter(|byte| *byte != 0xff);
    HEAD.into_iter()
        .chain(noise.take(filling))
        .chain(TAIL)
        .collect()
}

fn text(number: u32) -> String {
    format!("This is file{number}.txt, text file {number} of 10 of the reference module.\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(file: &FactoryFile) -> &[u8] {
        match &file.content {
            Content::Octets(octets) => octets,
            Content::Zeros(_) => panic!("{} is written nowhere", file.name),
        }
    }

    #[test]
    fn the_pictures_are_framed_as_jpeg_and_have_their_size() {
        for ((name, size), file) in PICTURES.iter().zip(files(false)) {
            assert_eq!(file.name, *name);
            assert_eq!(file.content.len(), u64::from(*size));
            assert!(octets(file).starts_with(b"\xff\xd8\xff\xe0\x00\x10JFIF\0"));
            assert!(octets(file).ends_with(b"\xff\xd9"));
        }
    }

    #[test]
    fn the_big_file_has_ten_megabytes_and_can_be_left_out() {
        let big = files(true).last().unwrap();
        assert_eq!(
            (big.name.as_str(), big.content.len()),
            ("big.bin", 10 << 20)
        );
        assert_eq!(files(true).count(), files(false).count() + 1);
    }

    #[test]
    fn there_are_twelve_files_and_their_content_is_fixed() {
        let listing: Vec<_> = files(false)
            .map(|file| {
                // FNV-1a: no cryptography is needed to see that nothing moved.
                let hash = octets(file)
                    .iter()
                    .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
                    });
                format!(
                    "{}/{} {} {hash:016x}",
                    file.directory,
                    file.name,
                    file.content.len()
                )
            })
            .collect();
        insta::assert_snapshot!(listing.join("\n"));
    }
}
