"""ExpressLRS modules over CRSF parameters."""
