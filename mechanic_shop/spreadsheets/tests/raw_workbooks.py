"""Workbooks written by hand, as other programs and attackers write them."""

from __future__ import annotations

import io
import zipfile

TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SCHEMAS = "http://schemas.openxmlformats.org"
KINDS = f"{SCHEMAS}/officeDocument/2006/relationships"
RELS = f"{SCHEMAS}/package/2006/relationships"
MAIN = f"{SCHEMAS}/spreadsheetml/2006/main"
HEADINGS = ("Part number", "Name", "Cost", "Quantity in stock")


def text(value: str, address: str = "") -> str:
    place = f' r="{address}"' if address else ""
    return f'<c{place} t="inlineStr"><is><t>{value}</t></is></c>'


def number(value: str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


def row(*cells: str, at: int | None = None) -> str:
    place = "" if at is None else f' r="{at}"'
    return f"<row{place}>{''.join(cells)}</row>"


def sheet(*rows: str, before: str = "", after: str = "") -> str:
    data = f"<sheetData>{''.join(rows)}</sheetData>"
    return f'<worksheet xmlns="{MAIN}">{before}{data}{after}</worksheet>'


def headings(*names: str) -> str:
    return row(*map(text, names or HEADINGS))


def styles(*codes: str) -> str:
    """Write a style for each number format, from 1 on; style 0 is General."""
    formats = "".join(
        f'<numFmt numFmtId="{164 + place}" formatCode="{code}"/>'
        for place, code in enumerate(codes)
    )
    xfs = "".join(f'<xf numFmtId="{164 + place}"/>' for place in range(len(codes)))
    return (
        f'<styleSheet xmlns="{MAIN}"><numFmts>{formats}</numFmts>'
        f'<cellXfs><xf numFmtId="0"/>{xfs}</cellXfs></styleSheet>'
    )


def workbook(sheet_xml: str, *, sheets: int = 1, **parts: str) -> bytes:
    """Pack a sheet; ``parts`` are further parts, like ``styles``.

    :param sheets: how many tabs show that same sheet
    """
    tabs = "".join(
        f'<sheet name="S{each}" sheetId="{each}" r:id="rId1"/>'
        for each in range(1, sheets + 1)
    )
    more = "".join(
        f'<Relationship Id="{name}" Type="{KINDS}/{name}" Target="{name}.xml"/>'
        for name in parts
    )
    kind = f"{TYPES}.sharedStrings+xml"
    shared = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/>'
    shared = shared if "sharedStrings" in parts else ""
    files = {
        "[Content_Types].xml": f'<Types xmlns="{SCHEMAS}/package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>'
        f"{shared}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r"'
        f' Type="{KINDS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{KINDS}">'
        f"<sheets>{tabs}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELS}">'
        f'<Relationship Id="rId1" Type="{KINDS}/worksheet"'
        f' Target="worksheets/sheet1.xml"/>{more}</Relationships>',
        "xl/worksheets/sheet1.xml": sheet_xml,
        **{f"xl/{name}.xml": content for name, content in parts.items()},
    }
    return packed(files)


def packed(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in files.items():
            archive.writestr(name, part)
    return content.getvalue()
