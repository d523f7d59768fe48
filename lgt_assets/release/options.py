"""How a release is exported: format, pictures, configs."""

from collections.abc import Sequence
from dataclasses import dataclass

from lgt_assets.errors import SettingsError
from lgt_assets.release.configs import CONFIGS
from lgt_assets.release.formats.base import EMBEDDED, FILES, Delivery, Format


@dataclass(frozen=True)
class Options:
    """How a release is exported.

    Attributes:
        form: the format.
        pictures: how pictures are given; None: as the format does.
        configs: which; those that the format has no columns for are left out.
        strip_location: whether EXIF and XMP entries that say where a picture was taken are removed from what is written.
    """

    form: Format
    pictures: Delivery | None = None
    configs: Sequence[str] = tuple(CONFIGS)
    strip_location: bool = False

    def __post_init__(self) -> None:
        """Refuse what the format cannot do.

        Raises:
            SettingsError: the message names the option.
        """
        allowed = (self.form.pictures, *self.form.allowed)
        if self.delivery not in allowed:
            raise SettingsError(f"--pictures {self.pictures}: the format {self.form.name} has {' or '.join(allowed)}")
        unknown = [name for name in self.configs if name not in CONFIGS]
        if unknown:
            raise SettingsError(f"--config {unknown[0]}: there are {', '.join(CONFIGS)}")
        if not any(CONFIGS[name].task in self.form.columns for name in self.configs):
            raise SettingsError(f"the format {self.form.name} holds none of {', '.join(self.configs)}")
        if self.strip_location and self.delivery not in (EMBEDDED, FILES):
            raise SettingsError(f"--strip-location: pictures that are {self.delivery} are not written")

    @property
    def delivery(self) -> Delivery:
        """How pictures are given."""
        return self.pictures or self.form.pictures
