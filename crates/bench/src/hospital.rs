//! A seeded generator of discharges with the name frequencies of China (thousands of 王伟 in a
//! million), shared family phones and the diagnoses that plans exist for. All of it is invented.

use chrono::{Duration, NaiveDate, NaiveDateTime};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Surnames with their share in 1/10,000 (the hundred commonest cover about 85 %).
const SURNAMES: &[(&str, u32)] = &[
    ("王", 717),
    ("李", 700),
    ("张", 674),
    ("刘", 510),
    ("陈", 461),
    ("杨", 322),
    ("黄", 245),
    ("吴", 200),
    ("赵", 200),
    ("周", 190),
    ("徐", 145),
    ("孙", 138),
    ("马", 129),
    ("朱", 126),
    ("胡", 116),
    ("林", 113),
    ("郭", 113),
    ("何", 106),
    ("高", 100),
    ("罗", 95),
    ("郑", 93),
    ("梁", 85),
    ("谢", 76),
    ("宋", 70),
    ("唐", 69),
    ("许", 66),
    ("邓", 62),
    ("冯", 62),
    ("韩", 61),
    ("曹", 60),
    ("曾", 58),
    ("彭", 58),
    ("萧", 56),
    ("蔡", 53),
    ("潘", 52),
    ("田", 52),
    ("董", 51),
    ("袁", 50),
    ("于", 48),
    ("余", 48),
    ("叶", 48),
    ("蒋", 48),
    ("杜", 47),
    ("苏", 46),
    ("魏", 45),
    ("程", 45),
    ("吕", 45),
    ("丁", 43),
    ("沈", 41),
    ("任", 41),
    ("姚", 41),
    ("卢", 40),
    ("姜", 39),
    ("崔", 38),
    ("钟", 38),
    ("谭", 38),
    ("陆", 37),
    ("汪", 36),
    ("范", 36),
    ("金", 35),
    ("石", 34),
    ("廖", 34),
    ("贾", 33),
    ("夏", 33),
    ("韦", 33),
    ("付", 32),
    ("方", 32),
    ("白", 31),
    ("邹", 30),
    ("孟", 30),
    ("熊", 29),
    ("秦", 29),
    ("邱", 28),
    ("江", 27),
    ("尹", 27),
    ("薛", 26),
    ("闫", 26),
    ("段", 25),
    ("雷", 25),
    ("侯", 24),
    ("龙", 24),
    ("史", 23),
    ("陶", 23),
    ("黎", 22),
    ("贺", 22),
    ("顾", 21),
    ("毛", 21),
    ("郝", 20),
    ("龚", 20),
    ("邵", 20),
    ("万", 19),
    ("钱", 19),
    ("严", 19),
    ("覃", 18),
    ("武", 18),
    ("戴", 18),
    ("莫", 17),
    ("孔", 17),
    ("向", 16),
    ("汤", 16),
    ("单", 6),
    ("仇", 4),
    ("欧阳", 7),
    ("尉迟", 1),
    ("司马", 2),
    ("上官", 2),
    ("诸葛", 2),
];

const GIVEN: &[&str] = &[
    "伟", "芳", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞",
    "平", "刚", "英", "华", "玉", "萍", "红", "娥", "玲", "芬", "燕", "彩", "兰", "凤", "洁", "梅", "琳",
    "素", "云", "莲", "真", "环", "雪", "荣", "爱", "妹", "香", "月", "莺", "媛", "瑞", "凡", "佳", "嘉",
    "琼", "勤", "珍", "贞", "莉", "桂", "娣", "叶", "璧", "璐", "娅", "琦", "晶", "妍", "茜", "秋", "珊",
    "莎", "锦", "黛", "青", "倩", "婷", "姣", "婉", "娴", "瑾", "颖", "露", "瑶", "怡", "婵", "雁", "蓓",
    "建", "国", "志", "文", "德", "春", "海", "永", "正", "新", "俊", "东", "立", "成", "晓", "小", "子",
    "天", "金", "福", "生", "龙", "元", "全", "胜", "学", "祥", "才", "发", "武", "利", "清", "飞", "彬",
    "富", "顺", "信", "昌", "康", "星", "光", "岩", "中", "茂", "进", "林", "有", "坚", "和", "彪", "博",
    "诚", "先", "敬", "震", "振", "壮", "会", "思", "群", "豪", "心", "邦", "承", "乐", "绍", "功", "松",
    "善", "厚", "庆", "民", "友", "裕", "河", "哲", "江",
];

/// Departments with the diagnoses they discharge.
const STAYS: &[(&str, &str, &str)] = &[
    ("心血管内科", "I10.x00x002", "高血压病"),
    ("心血管内科", "I25.103", "冠状动脉粥样硬化性心脏病"),
    ("心血管内科", "I50.000", "充血性心力衰竭"),
    ("内分泌科", "E11.900x001", "2型糖尿病"),
    ("神经内科", "I63.900", "脑梗死"),
    ("呼吸内科", "J44.100", "慢性阻塞性肺疾病伴急性加重"),
    ("普外科", "K80.200", "胆囊结石"),
    ("骨科", "S72.000", "股骨颈骨折"),
    ("产科", "O80.000", "单胎顺产"),
    ("产科", "O82.000", "择期剖宫产"),
    ("肿瘤科", "C50.900", "乳房恶性肿瘤"),
    ("泌尿外科", "N20.000", "肾结石"),
    ("眼科", "H25.900", "老年性白内障"),
    ("消化内科", "K29.500", "慢性胃炎"),
];

const AREAS: &[&str] =
    &["110105", "310101", "440305", "510104", "420106", "330106", "610113", "320102", "230102"];
const PREFIXES: &[&str] =
    &["138", "139", "136", "137", "150", "151", "158", "159", "186", "187", "188", "199"];

/// One discharge as the HIS exports it.
#[derive(Debug, Clone)]
pub struct Discharge {
    /// 病案号, eight digits with leading zeros.
    pub mrn: String,
    /// 住院号.
    pub visit_no: String,
    /// Name.
    pub name: String,
    /// 男 or 女.
    pub sex: &'static str,
    /// Birth date.
    pub birth_on: NaiveDate,
    /// With a right check digit.
    pub id_number: String,
    /// Own mobile.
    pub phone: String,
    /// Address.
    pub address: String,
    /// Department.
    pub department: &'static str,
    /// Admission, wall clock.
    pub admitted_at: NaiveDateTime,
    /// Discharge, wall clock.
    pub discharged_at: NaiveDateTime,
    /// ICD-10.
    pub diagnosis_code: &'static str,
    /// Diagnosis.
    pub diagnosis: &'static str,
    /// Doctor.
    pub doctor: String,
    /// 离院方式 by name.
    pub disposition: &'static str,
    /// Yuan with two decimals.
    pub total_fee: String,
    /// Next of kin.
    pub contact: String,
    /// Their relation.
    pub relation: &'static str,
    /// Their phone; in one family of six the patient's own or a neighbour's record's.
    pub contact_phone: String,
}

/// Headings of [`Discharge::cells`], as a HIS writes them.
pub const HEADINGS: [&str; 21] = [
    "病案号",
    "住院号",
    "姓名",
    "性别",
    "出生日期",
    "身份证号",
    "联系电话",
    "现住址",
    "出院科室",
    "入院时间",
    "出院时间",
    "住院天数",
    "主要诊断编码",
    "主要诊断",
    "主管医师",
    "离院方式",
    "总费用",
    "医疗付费方式",
    "联系人",
    "关系",
    "联系人电话",
];

impl Discharge {
    /// The cells of one row.
    pub fn cells(&self) -> [String; 21] {
        let minute = |at: NaiveDateTime| at.format("%Y-%m-%d %H:%M").to_string();
        [
            self.mrn.clone(),
            self.visit_no.clone(),
            self.name.clone(),
            self.sex.to_owned(),
            self.birth_on.to_string(),
            self.id_number.clone(),
            self.phone.clone(),
            self.address.clone(),
            self.department.to_owned(),
            minute(self.admitted_at),
            minute(self.discharged_at),
            (self.discharged_at - self.admitted_at).num_days().to_string(),
            self.diagnosis_code.to_owned(),
            self.diagnosis.to_owned(),
            self.doctor.clone(),
            self.disposition.to_owned(),
            self.total_fee.clone(),
            "城镇职工基本医疗保险".to_owned(),
            self.contact.clone(),
            self.relation.to_owned(),
            self.contact_phone.clone(),
        ]
    }
}

/// Discharges of one seed, without end; take as many as are wanted.
pub struct Hospital {
    random: StdRng,
    number: u32,
    last_day: NaiveDate,
    days: i64,
    family_phones: Vec<String>,
}

impl Hospital {
    /// A hospital whose patients left within `days` days up to `last_day`.
    pub fn new(seed: u64, last_day: NaiveDate, days: i64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), number: 0, last_day, days, family_phones: Vec::new() }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.random_range(0..from.len())]
    }

    /// Zipf-like: the first names are much commoner than the last.
    fn given(&mut self) -> &'static str {
        let share: f64 = self.random.random::<f64>();
        GIVEN[((share * share * share) * GIVEN.len() as f64) as usize]
    }

    /// A name as common as names are.
    pub fn name(&mut self) -> String {
        let total: u32 = SURNAMES.iter().map(|(_, share)| share).sum();
        let mut at = self.random.random_range(0..total);
        let surname = SURNAMES
            .iter()
            .find(|(_, share)| {
                let here = at < *share;
                at = at.saturating_sub(*share);
                here
            })
            .map_or("王", |(name, _)| name);
        let mut name = surname.to_owned() + self.given();
        if self.random.random_bool(0.65) {
            name.push_str(self.given());
        }
        name
    }

    fn phone(&mut self) -> String {
        if self.family_phones.len() > 64 && self.random.random_bool(0.15) {
            let at = self.random.random_range(0..self.family_phones.len());
            return self.family_phones[at].clone();
        }
        let phone = format!("{}{:08}", self.pick(PREFIXES), self.random.random_range(0..100_000_000));
        if self.family_phones.len() >= 256 {
            self.family_phones.remove(0);
        }
        self.family_phones.push(phone.clone());
        phone
    }

    fn id_number(&mut self, birth_on: NaiveDate, male: bool) -> String {
        let area = self.pick(AREAS);
        let sequence = self.random.random_range(0..500) * 2 + u32::from(male);
        let body = format!("{area}{}{sequence:03}", birth_on.format("%Y%m%d"));
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u32 =
            body.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
    }
}

impl Iterator for Hospital {
    type Item = Discharge;

    fn next(&mut self) -> Option<Discharge> {
        self.number += 1;
        let number = self.number;
        let male = self.random.random_bool(0.5);
        let birth_on =
            NaiveDate::from_ymd_opt(1935, 1, 1)? + Duration::days(self.random.random_range(0..30_000));
        let (department, diagnosis_code, diagnosis) = self.pick(STAYS);
        let back = self.random.random_range(0..self.days);
        let minute = self.random.random_range(8 * 60..18 * 60);
        let discharged_at =
            (self.last_day - Duration::days(back)).and_hms_opt(0, 0, 0)? + Duration::minutes(minute);
        let admitted_at = discharged_at - Duration::minutes(self.random.random_range(600..20_000));
        let id_number = self.id_number(birth_on, male);
        let disposition = if self.random.random_bool(0.01) { "死亡" } else { "医嘱离院" };
        Some(Discharge {
            mrn: format!("{number:08}"),
            visit_no: format!("ZY{number:08}"),
            name: self.name(),
            sex: if male { "男" } else { "女" },
            birth_on,
            id_number,
            phone: self.phone(),
            address: format!("测试省测试市{}路{}号", self.given(), self.random.random_range(1..999)),
            department,
            admitted_at,
            discharged_at,
            diagnosis_code,
            diagnosis,
            doctor: self.name(),
            disposition,
            total_fee: format!(
                "{}.{:02}",
                self.random.random_range(800..90_000),
                self.random.random_range(0..100)
            ),
            contact: self.name(),
            relation: self.pick(&["配偶", "子", "女", "父母", "其他"]),
            contact_phone: self.phone(),
        })
    }
}

/// `count` discharges as a GB18030 CSV, the commonest export of all.
pub fn csv_gb18030(hospital: &mut Hospital, count: usize) -> Vec<u8> {
    let mut text = HEADINGS.join(",");
    text.push_str("\r\n");
    for discharge in hospital.take(count) {
        text.push_str(&discharge.cells().join(","));
        text.push_str("\r\n");
    }
    encoding_rs::GB18030.encode(&text).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_hospital_and_wang_wei_is_common() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
        let names = |seed| Hospital::new(seed, day, 30).take(20_000).map(|d| d.name).collect::<Vec<_>>();
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
        let count = names(7).iter().filter(|name| *name == "王伟").count();
        assert!((20..400).contains(&count), "{count} in 20,000");
    }

    #[test]
    fn ids_are_valid_and_phones_are_shared() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
        let all: Vec<Discharge> = Hospital::new(1, day, 30).take(2_000).collect();
        for discharge in &all {
            assert!(aftercare_domain::id_number::parse(&discharge.id_number, day).is_ok());
        }
        let mut phones: Vec<&str> = all.iter().map(|d| d.phone.as_str()).collect();
        phones.sort_unstable();
        phones.dedup();
        assert!(phones.len() < all.len());
    }
}
