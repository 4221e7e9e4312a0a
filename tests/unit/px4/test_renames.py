from __future__ import annotations

import pytest

from dronekit_cfg.catalog.renames import load_renames


def test_what_px4_itself_translates_is_translated_the_same_way() -> None:
    table = load_renames("px4", "copter")
    assert table is not None
    new = {"FW_USE_AIRSPD", "SYS_HAS_NUM_ASPD"}.__contains__
    assert table.translate("FW_ARSP_MODE", 0, new) == ("FW_USE_AIRSPD", 1)
    assert table.translate("FW_ARSP_MODE", 1, new) == ("FW_USE_AIRSPD", 0)
    assert table.translate("CBRK_AIRSPD_CHK", 162128, new) == ("SYS_HAS_NUM_ASPD", 0)
    with pytest.raises(ValueError, match="counts the airspeed sensors"):
        table.translate("CBRK_AIRSPD_CHK", 0, new)
    assert table.translate("NAV_RCL_ACT", 2, {"NAV_RCL_ACT"}.__contains__) is None
