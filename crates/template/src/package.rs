//! The ZIP package: parts that are read are bounded, parts that are not touched are copied as they are packed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{Limits, TemplateError};

/// The beginning of a compound file: an encrypted workbook, or an old .xls.
const COMPOUND: [u8; 4] = [0xD0, 0xCF, 0x11, 0xE0];

pub(crate) struct Package<R> {
    archive: ZipArchive<R>,
    /// Index by name in lower case: names are compared without regard to case.
    names: BTreeMap<String, usize>,
    limits: Limits,
    unpacked: u64,
}

fn of_zip(error: ZipError) -> TemplateError {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => TemplateError::Io(error),
        ZipError::UnsupportedArchive(why) if why.contains("assword") => TemplateError::Encrypted,
        _ => TemplateError::NotWorkbook,
    }
}

impl<R: Read + Seek> Package<R> {
    pub fn open(mut file: R, limits: &Limits) -> Result<Self, TemplateError> {
        let mut head = [0; 4];
        let count = file.read(&mut head)?;
        if head == COMPOUND {
            return Err(TemplateError::Encrypted);
        }
        if count < 4 || !head.starts_with(b"PK") {
            return Err(TemplateError::NotWorkbook);
        }
        file.seek(SeekFrom::Start(0))?;
        let archive = ZipArchive::new(file).map_err(of_zip)?;
        if archive.len() > limits.parts {
            return Err(TemplateError::TooLarge { limit: limits.parts as u64 });
        }
        let mut names = BTreeMap::new();
        for index in 0..archive.len() {
            let name = name_at(&archive, index).ok_or(TemplateError::NotWorkbook)?.to_lowercase();
            if name.ends_with("vbaproject.bin") {
                return Err(TemplateError::Macros);
            }
            // Two parts of one name: readers differ in which of them counts.
            if names.insert(name.clone(), index).is_some() {
                return Err(TemplateError::damaged(&name));
            }
        }
        Ok(Self { archive, names, limits: *limits, unpacked: 0 })
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(&name.to_lowercase())
    }

    /// Names of parts in a folder, as the package spells them.
    pub fn under(&self, folder: &str) -> Vec<String> {
        let inside = self.names.iter().filter(|(name, _)| name.starts_with(folder));
        inside.filter_map(|(_, index)| name_at(&self.archive, *index)).collect()
    }

    /// A part as a whole.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, TemplateError> {
        let index = self.names.get(&name.to_lowercase()).ok_or_else(|| TemplateError::damaged(name))?;
        let part = self.archive.by_index(*index).map_err(of_zip)?;
        let most = self.limits.part_bytes.min(self.limits.total_bytes.saturating_sub(self.unpacked));
        let mut bytes = Vec::new();
        let count = part.take(most + 1).read_to_end(&mut bytes).map_err(|error| {
            if error.raw_os_error().is_some() {
                TemplateError::Io(error)
            } else {
                TemplateError::damaged(name)
            }
        })?;
        if count as u64 > most {
            return Err(TemplateError::TooLarge { limit: self.limits.part_bytes });
        }
        self.unpacked += count as u64;
        Ok(bytes)
    }

    /// A part, if there is one.
    pub fn find(&mut self, name: &str) -> Result<Option<Vec<u8>>, TemplateError> {
        if self.has(name) { self.read(name).map(Some) } else { Ok(None) }
    }

    /// Writes the package in its own order with some parts changed and some left out.
    pub fn write(
        &mut self,
        out: impl Write + Seek,
        changed: &BTreeMap<String, Vec<u8>>,
        dropped: &BTreeSet<String>,
    ) -> Result<(), TemplateError> {
        let changed: BTreeMap<String, &Vec<u8>> =
            changed.iter().map(|(name, bytes)| (name.to_lowercase(), bytes)).collect();
        let mut writer = ZipWriter::new(out);
        for index in 0..self.archive.len() {
            let name = name_at(&self.archive, index).ok_or(TemplateError::NotWorkbook)?;
            let part = self.archive.by_index_raw(index).map_err(of_zip)?;
            let key = name.to_lowercase();
            if dropped.contains(&key) {
                continue;
            }
            let Some(bytes) = changed.get(&key) else {
                writer.raw_copy_file(part).map_err(written)?;
                continue;
            };
            let mut options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            if let Some(at) = part.last_modified() {
                options = options.last_modified_time(at);
            }
            drop(part);
            writer.start_file(name, options).map_err(written)?;
            writer.write_all(bytes)?;
        }
        writer.finish().map_err(written)?.flush()?;
        Ok(())
    }
}

/// A part's name as the package spells it.
fn name_at<R: Read + Seek>(archive: &ZipArchive<R>, index: usize) -> Option<String> {
    Some(archive.name_for_index(index)?.ok()?.into_owned())
}

fn written(error: ZipError) -> TemplateError {
    match error {
        ZipError::Io(error) => TemplateError::Io(error),
        other => TemplateError::Io(std::io::Error::other(other)),
    }
}
