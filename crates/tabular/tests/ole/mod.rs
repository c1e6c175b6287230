//! Wraps a stream into an OLE compound file, small ones into the small stream as [MS-CFB] wants it.

const SECTOR: usize = 512;
const SMALL: usize = 64;
const END: u32 = 0xFFFF_FFFE;
const FREE: u32 = 0xFFFF_FFFF;
const FAT: u32 = 0xFFFF_FFFD;
const DIFAT: u32 = 0xFFFF_FFFC;
/// Streams below this stand in the small stream.
const SMALL_BELOW: usize = 4096;

fn entry(name: &str, kind: u8, child: u32, start: u32, bytes: usize) -> Vec<u8> {
    let mut out: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = out.len() as u16 + 2;
    out.resize(64, 0);
    out.extend(length.to_le_bytes());
    out.extend([kind, 1]);
    for number in [FREE, FREE, child] {
        out.extend(number.to_le_bytes());
    }
    out.resize(116, 0);
    out.extend(start.to_le_bytes());
    out.extend((bytes as u64).to_le_bytes());
    out
}

/// Appends bytes as sectors in which neighbours are swapped, so that chains jump; their first sector.
fn add_chain(sectors: &mut Vec<Vec<u8>>, fat: &mut Vec<u32>, bytes: &[u8]) -> u32 {
    let first = sectors.len();
    let count = bytes.len().div_ceil(SECTOR);
    let place = |index: usize| first + if (index ^ 1) < count { index ^ 1 } else { index };
    sectors.resize(first + count, Vec::new());
    fat.resize(first + count, END);
    for (index, piece) in bytes.chunks(SECTOR).enumerate() {
        let mut sector = piece.to_vec();
        sector.resize(SECTOR, 0);
        sectors[place(index)] = sector;
        fat[place(index)] = if index + 1 < count { place(index + 1) as u32 } else { END };
    }
    place(0) as u32
}

/// A compound file with one stream.
pub fn wrap(name: &str, stream: &[u8]) -> Vec<u8> {
    let mut sectors: Vec<Vec<u8>> = Vec::new();
    let mut fat: Vec<u32> = Vec::new();
    let (mut root, mut small_fat_at) = ((END, 0), END);
    let start = if stream.len() < SMALL_BELOW {
        let count = stream.len().div_ceil(SMALL) as u32;
        let mut small = stream.to_vec();
        small.resize(count as usize * SMALL, 0);
        root = (add_chain(&mut sectors, &mut fat, &small), small.len());
        let links: Vec<u32> = (1..count).chain([END]).collect();
        let links: Vec<u8> = links.into_iter().flat_map(u32::to_le_bytes).collect();
        small_fat_at = add_chain(&mut sectors, &mut fat, &links);
        0
    } else {
        add_chain(&mut sectors, &mut fat, stream)
    };
    let directory = [
        entry("Root Entry", 5, 1, root.0, root.1),
        entry(name, 2, FREE, start, stream.len()),
        entry("", 0, FREE, 0, 0),
        entry("", 0, FREE, 0, 0),
    ];
    let directory_at = add_chain(&mut sectors, &mut fat, &directory.concat());
    let per_sector = SECTOR / 4;
    let (mut fats, mut lists) = (0, 0usize);
    // Each list of FAT sectors and each FAT sector needs a place in the FAT itself.
    while fats * per_sector < fat.len() + fats + lists {
        fats += 1;
        lists = fats.saturating_sub(109).div_ceil(per_sector - 1);
    }
    let first_fat = fat.len();
    fat.extend(std::iter::repeat_n(FAT, fats));
    fat.extend(std::iter::repeat_n(DIFAT, lists));
    fat.resize(fats * per_sector, FREE);
    let numbers: Vec<u32> = (first_fat..first_fat + fats).map(|number| number as u32).collect();
    let (head, tail) = numbers.split_at(numbers.len().min(109));
    let mut out = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    out.resize(24, 0);
    out.extend([0x3E, 0, 3, 0, 0xFE, 0xFF, 9, 0, 6, 0]);
    out.resize(44, 0);
    let first_list = if lists == 0 { END } else { (first_fat + fats) as u32 };
    for number in
        [fats as u32, directory_at, 0, SMALL_BELOW as u32, small_fat_at, 1, first_list, lists as u32]
    {
        out.extend(number.to_le_bytes());
    }
    out.extend(head.iter().flat_map(|number| number.to_le_bytes()));
    out.resize(SECTOR, 0xFF);
    sectors.iter().for_each(|sector| out.extend(sector));
    out.extend(fat.iter().flat_map(|number| number.to_le_bytes()));
    for (index, list) in tail.chunks(per_sector - 1).enumerate() {
        let start = out.len();
        out.extend(list.iter().flat_map(|number| number.to_le_bytes()));
        out.resize(start + SECTOR - 4, 0xFF);
        let next = if index + 1 < lists { first_list + index as u32 + 1 } else { END };
        out.extend(next.to_le_bytes());
    }
    out
}
