"""Many small pictures with their captions in one."""

from collections.abc import Sequence

from PIL import Image, ImageDraw


def grid(images: Sequence[Image.Image], captions: Sequence[str], columns: int = 6) -> Image.Image:
    """Lay pictures out in rows, each above its caption."""
    width, height = 150, 190
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "gainsboro")
    pen = ImageDraw.Draw(sheet)
    for i, (image, text) in enumerate(zip(images, captions, strict=False)):
        x, y = i % columns * width, i // columns * height
        sheet.paste(image, (x + (width - image.width) // 2, y + 8))
        pen.multiline_text((x + 11, y + 140), _wrapped(text, pen, width - 20), "black", spacing=1)
    return sheet


def _wrapped(text: str, pen: ImageDraw.ImageDraw, width: int) -> str:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if pen.textlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
