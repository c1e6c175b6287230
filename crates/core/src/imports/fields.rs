//! What a column can fill.

use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $name:ident => $code:literal $kind:ident;)+) => {
        /// A field that a column of an extract can fill.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Field {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name,)+
        }

        impl Field {
            /// Every field, in the order in which a person reads a record.
            pub const ALL: &'static [Field] = &[$(Field::$name,)+];

            /// The word for it in results, profiles and locale files.
            pub fn code(self) -> &'static str {
                match self { $(Field::$name => $code,)+ }
            }

            /// How its cells are read, and how they are masked.
            pub fn kind(self) -> Kind {
                match self { $(Field::$name => Kind::$kind,)+ }
            }
        }
    };
}

/// How the cells of a field are read and masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number of the person or the stay: digits and letters as they are.
    Number,
    /// A person's name.
    Name,
    /// A resident ID or another document's number.
    IdNumber,
    /// One or several telephone numbers.
    Phone,
    /// Words that tell where or how a person lives.
    Private,
    /// Words that tell nothing of who it is.
    Plain,
    /// A code or its name.
    Code,
    /// A day, perhaps with a time.
    Date,
    /// A person's day of birth.
    Birth,
    /// A count.
    Count,
    /// Yuan.
    Money,
}

fields! {
    /// 病案号.
    Mrn => "mrn" Number;
    /// 姓名.
    Name => "name" Name;
    /// 性别.
    Sex => "sex" Code;
    /// 出生日期.
    BirthDate => "birth_date" Birth;
    /// 年龄, used when there is no date of birth.
    Age => "age" Plain;
    /// 身份证号 or another document's number.
    IdNumber => "id_number" IdNumber;
    /// 证件类型.
    IdType => "id_type" Code;
    /// 联系电话 of the patient.
    Phone => "phone" Phone;
    /// 联系人.
    ContactName => "contact_name" Name;
    /// 关系 of the contact to the patient.
    ContactRelation => "contact_relation" Code;
    /// 联系人电话.
    ContactPhone => "contact_phone" Phone;
    /// 现住址.
    Address => "address" Private;
    /// 住院号.
    VisitNo => "visit_no" Number;
    /// 住院次数.
    VisitCount => "visit_count" Count;
    /// 门诊号.
    OutpatientNo => "outpatient_no" Number;
    /// 就诊卡号.
    CardNo => "card_no" Number;
    /// 出院科室.
    Department => "department" Plain;
    /// 病区.
    Ward => "ward" Plain;
    /// 床号.
    Bed => "bed" Plain;
    /// 入院时间.
    AdmittedAt => "admitted_at" Date;
    /// The hour that stands apart from the admission's date.
    AdmittedHour => "admitted_hour" Count;
    /// 出院时间.
    DischargedAt => "discharged_at" Date;
    /// The hour that stands apart from the discharge's date.
    DischargedHour => "discharged_hour" Count;
    /// 住院天数.
    LengthOfStay => "length_of_stay" Count;
    /// 主要诊断编码.
    DiagnosisCode => "diagnosis_code" Code;
    /// 主要诊断.
    Diagnosis => "diagnosis" Plain;
    /// 其他诊断编码; may stand in several columns.
    OtherDiagnosisCode => "other_diagnosis_code" Code;
    /// 其他诊断; may stand in several columns.
    OtherDiagnosis => "other_diagnosis" Plain;
    /// 手术; may stand in several columns.
    Surgery => "surgery" Plain;
    /// 手术日期.
    SurgeryDate => "surgery_date" Date;
    /// 分娩日期.
    DeliveryDate => "delivery_date" Date;
    /// 主管医师.
    Doctor => "doctor" Plain;
    /// 责任护士.
    Nurse => "nurse" Plain;
    /// 离院方式.
    Disposition => "disposition" Code;
    /// 入院途径.
    AdmitRoute => "admit_route" Code;
    /// 医疗付费方式.
    PayMode => "pay_mode" Code;
    /// 总费用.
    TotalFee => "total_fee" Money;
    /// 复诊日期.
    NextVisitDate => "next_visit_date" Date;
    /// 国籍.
    Nationality => "nationality" Plain;
    /// 民族.
    Ethnicity => "ethnicity" Plain;
    /// 婚姻.
    Marital => "marital" Code;
    /// 职业.
    Occupation => "occupation" Code;
    /// 工作单位.
    Employer => "employer" Private;
    /// 籍贯.
    NativePlace => "native_place" Private;
    /// 血型.
    BloodType => "blood_type" Plain;
    /// 过敏药物.
    Allergies => "allergies" Plain;
}

impl Field {
    /// The field of a word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.code() == code)
    }

    /// Whether several columns may fill it.
    pub fn takes_many_columns(self) -> bool {
        matches!(
            self,
            Self::Phone
                | Self::ContactPhone
                | Self::OtherDiagnosis
                | Self::OtherDiagnosisCode
                | Self::Surgery
        )
    }

    /// Whether it can tell who a row is about.
    pub fn is_identity(self) -> bool {
        matches!(self, Self::Mrn | Self::IdNumber | Self::VisitNo | Self::OutpatientNo | Self::CardNo)
    }
}
