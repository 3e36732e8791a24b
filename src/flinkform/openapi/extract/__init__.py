"""The tool that reads the API's facts out of the official SDKs (`make generate`); nothing imports it at run time."""
