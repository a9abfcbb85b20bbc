"""How is a compiled plugin's part of a spec read? Whatever stands there: only the plugin knows what it means."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """An object of any fields."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def raw(self) -> dict[str, Any]:
        """Return what stands there."""
        return dict(self.model_extra or {})
