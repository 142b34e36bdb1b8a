#include "model/spec.h"

#include <fmt/format.h>

namespace sluice {

std::string shown_url(const SourceSpec& source) {
  auto shown = mask_url(source.url);
  const auto scheme = shown.find("://");
  const auto path = shown.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  for (const auto& secret : source.url_secrets) {
    const auto& text = secret.reveal();
    for (auto at = shown.find(text, path); at != std::string::npos; at = shown.find(text, at + 3))
      shown.replace(at, text.size(), "***");
  }
  return shown;
}

std::string_view to_string(Format format) {
  switch (format) {
    case Format::automatic:
      return "auto";
    case Format::json:
      return "json";
    case Format::ndjson:
      return "ndjson";
    case Format::csv:
      return "csv";
  }
  return "auto";
}

std::string_view to_string(LoadMode mode) {
  switch (mode) {
    case LoadMode::sync:
      return "sync";
    case LoadMode::upsert:
      return "upsert";
    case LoadMode::append:
      return "append";
    case LoadMode::replace:
      return "replace";
  }
  return "sync";
}

std::string_view to_string(Vanished vanished) {
  switch (vanished) {
    case Vanished::keep:
      return "keep";
    case Vanished::soft_delete:
      return "softDelete";
    case Vanished::remove:
      return "delete";
  }
  return "keep";
}

std::string_view to_string(ChangeLog log) {
  switch (log) {
    case ChangeLog::off:
      return "off";
    case ChangeLog::keys:
      return "keys";
    case ChangeLog::full:
      return "full";
  }
  return "full";
}

std::string_view to_string(OnBreach action) { return action == OnBreach::warn ? "warn" : "fail"; }

std::string_view to_string(RunOnStartup when) {
  switch (when) {
    case RunOnStartup::never:
      return "never";
    case RunOnStartup::always:
      return "always";
    case RunOnStartup::if_missed:
      return "ifMissed";
    case RunOnStartup::if_never_loaded:
      return "ifNeverLoaded";
  }
  return "ifNeverLoaded";
}

std::string_view to_string(Missed missed) {
  switch (missed) {
    case Missed::skip:
      return "skip";
    case Missed::once:
      return "once";
    case Missed::all:
      return "all";
  }
  return "once";
}

std::string_view to_string(NewColumns rule) { return rule == NewColumns::ignore ? "ignore" : "add"; }

std::string to_string(const Limit& limit) {
  return limit.share ? fmt::format("{:g}%", limit.value * 100) : fmt::format("{:.0f}", limit.value);
}

}  // namespace sluice
