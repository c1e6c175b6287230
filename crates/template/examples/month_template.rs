//! Writes the example templates that ship in `assets/templates`: `cargo run -p aftercare-template --example month_template -- assets/templates`.

use std::path::Path;

use rust_xlsxwriter::{
    Chart, ChartType, Color, Format, FormatAlign, FormatBorder, Formula, Workbook, XlsxError,
};

struct Words {
    file: &'static str,
    sheet: &'static str,
    title: &'static str,
    about: &'static str,
    figures: [&'static str; 4],
    departments: [&'static str; 7],
    total: &'static str,
    chart: &'static str,
    nurses: [&'static str; 4],
    sites: [&'static str; 4],
    restated: [&'static str; 3],
    signed: &'static str,
}

const CHINESE: Words = Words {
    file: "month.zh-CN.xlsx",
    sheet: "月报",
    title: "{{hospital}} {{month}}客户关怀月报",
    about: "数据截至 {{as_of}}，月结：{{frozen}} {{frozen_by}}",
    figures: ["指标", "分子", "分母", "比例"],
    departments: ["科室", "出院人次", "已随访", "随访比例", "应访任务", "已完成", "投诉"],
    total: "合计",
    chart: "各科室出院与随访",
    nurses: ["随访员", "外呼", "接通", "完成任务"],
    sites: ["院区", "数据截至", "未联系电脑", "未上传更改"],
    restated: ["月结后更正", "月结数", "现在"],
    signed: "制表：            审核：            日期：",
};

const ENGLISH: Words = Words {
    file: "month.en.xlsx",
    sheet: "Month",
    title: "{{hospital}}: patient care in {{month}}",
    about: "Data as of {{as_of}}, frozen: {{frozen}} {{frozen_by}}",
    figures: ["Figure", "Numerator", "Denominator", "Share"],
    departments: ["Department", "Discharges", "Followed up", "Share", "Tasks due", "Done", "Complaints"],
    total: "Total",
    chart: "Discharged and followed up by department",
    nurses: ["Nurse", "Calls", "Connected", "Tasks done"],
    sites: ["Site", "Data as of", "Silent desks", "Changes not sent"],
    restated: ["Restated since", "As frozen", "Now"],
    signed: "Prepared:            Checked:            Date:",
};

fn main() -> Result<(), XlsxError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "assets/templates".to_owned());
    for words in [CHINESE, ENGLISH] {
        write(&words, Path::new(&folder))?;
    }
    Ok(())
}

fn write(words: &Words, folder: &Path) -> Result<(), XlsxError> {
    let title = Format::new().set_bold().set_font_size(16).set_align(FormatAlign::Center);
    let soft = Format::new().set_font_color(Color::RGB(0x6b_72_80)).set_align(FormatAlign::Center);
    let head =
        Format::new().set_bold().set_background_color(Color::RGB(0xe6_ee_ed)).set_border(FormatBorder::Thin);
    let cell = Format::new().set_border(FormatBorder::Thin);
    let share = cell.clone().set_num_format("0.0%");
    let sum = cell.clone().set_bold();
    let sum_share = sum.clone().set_num_format("0.0%");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name(words.sheet)?;
    sheet.set_column_width(0, 30)?.set_column_range_width(1, 6, 13)?;
    sheet.merge_range(0, 0, 0, 6, words.title, &title)?;
    sheet.merge_range(1, 0, 1, 6, words.about, &soft)?;
    sheet.write_row_with_format(3, 0, words.figures, &head)?;
    sheet.write_row_with_format(
        4,
        0,
        ["{{figures.name}}", "{{figures.numerator}}", "{{figures.denominator}}"],
        &cell,
    )?;
    sheet.write_with_format(4, 3, "{{figures.share}}", &share)?;

    sheet.write_row_with_format(6, 0, words.departments, &head)?;
    // A block of rows between two marks; the rows of the marks go away.
    sheet.write(7, 0, "{{#departments}}")?;
    sheet.write_row_with_format(8, 0, ["{{name}}", "{{discharges}}", "{{followed}}"], &cell)?;
    sheet.write_with_format(8, 3, "{{ratio}}", &share)?;
    sheet.write_row_with_format(8, 4, ["{{due}}", "{{done}}", "{{complaints}}"], &cell)?;
    sheet.write(9, 0, "{{/departments}}")?;
    sheet.write_with_format(10, 0, words.total, &sum)?;
    for (column, letter) in [(1, 'B'), (2, 'C'), (4, 'E'), (5, 'F'), (6, 'G')] {
        sheet.write_with_format(10, column, Formula::new(format!("=SUM({letter}9:{letter}9)")), &sum)?;
    }
    sheet.write_with_format(10, 3, Formula::new("=IF(B11=0,\"—\",C11/B11)"), &sum_share)?;

    sheet.write_row_with_format(12, 0, words.nurses, &head)?;
    let nurse = ["{{nurses.name}}", "{{nurses.calls}}", "{{nurses.connected}}", "{{nurses.done}}"];
    sheet.write_row_with_format(13, 0, nurse, &cell)?;
    sheet.write_row_with_format(15, 0, words.sites, &head)?;
    let site = ["{{sites.name}}", "{{sites.as_of}}", "{{sites.silent}}", "{{sites.unsent}}"];
    sheet.write_row_with_format(16, 0, site, &cell)?;
    sheet.write_row_with_format(18, 0, words.restated, &head)?;
    sheet.write_row_with_format(
        19,
        0,
        ["{{restated.name}}", "{{restated.before}}", "{{restated.after}}"],
        &cell,
    )?;
    sheet.merge_range(21, 0, 21, 6, words.signed, &Format::new())?;

    let mut chart = Chart::new(ChartType::Column);
    chart.title().set_name(words.chart);
    for (column, title) in [(1, 1), (2, 2)] {
        chart
            .add_series()
            .set_name((words.sheet, 6, title))
            .set_categories((words.sheet, 8, 0, 8, 0))
            .set_values((words.sheet, 8, column, 8, column));
    }
    chart.set_width(760).set_height(300);
    sheet.insert_chart(23, 0, &chart)?;
    sheet.set_paper_size(9).set_print_fit_to_pages(1, 0).set_footer("&L{{watermark}}&R&P / &N");
    book.save(folder.join(words.file))
}
