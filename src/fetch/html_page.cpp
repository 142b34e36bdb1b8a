#include "fetch/html_page.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <string>

namespace sluice::fetch {

PageKind web_page_kind(std::string_view content_type, std::string_view start) {
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  const std::string text = to_lower(trim(start));
  static constexpr std::array<std::string_view, 2> kCertain = {"<!doctype html", "<html"};
  static constexpr std::array<std::string_view, 6> kLikely = {"<head",  "<body", "<script",
                                                              "<title", "<!--",  "<meta"};
  const auto begins = [&](std::string_view tag) { return text.starts_with(tag); };
  const bool declared = to_lower(content_type).find("html") != std::string::npos;
  const bool page = std::any_of(kCertain.begin(), kCertain.end(), begins) ||
                    (declared && std::any_of(kLikely.begin(), kLikely.end(), begins)) ||
                    // XHTML begins as XML does; the root element tells them apart.
                    (begins("<?xml") && text.find("<html") != std::string::npos);
  if (!page) return PageKind::none;
  static constexpr std::array<std::string_view, 8> kSigns = {
      "type=\"password\"", "type='password'", "type=password", "log in", "login", "sign in", "signin", "sso"};
  const bool login = std::any_of(kSigns.begin(), kSigns.end(),
                                 [&](std::string_view sign) { return text.find(sign) != std::string::npos; });
  return login ? PageKind::login : PageKind::page;
}

}  // namespace sluice::fetch
