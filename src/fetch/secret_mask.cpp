#include "fetch/secret_mask.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::fetch {
namespace {

constexpr std::size_t kShortestPiece = 3;
constexpr std::string_view kCut = "…";

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// As writers of JSON spell it; some of them escape the slash as well.
std::string json_escape(std::string_view text, bool slashes) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\' || (c == '/' && slashes)) result += '\\';
    result += c;
  }
  return result;
}

// How much of the end of `text` is the beginning of `form`.
std::size_t cut_behind(std::string_view text, std::string_view form) {
  for (auto length = std::min(text.size(), form.size() - 1); length >= kShortestPiece; --length)
    if (text.ends_with(form.substr(0, length))) return length;
  return 0;
}

// How much of the beginning of `text` is the end of `form`.
std::size_t cut_before(std::string_view text, std::string_view form) {
  for (auto length = std::min(text.size(), form.size() - 1); length >= kShortestPiece; --length)
    if (text.starts_with(form.substr(form.size() - length))) return length;
  return 0;
}

}  // namespace

std::string url_encode(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_unreserved(c))
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) result += k <= have ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

void SecretMask::add(std::string_view secret) {
  if (secret.size() < 4) return;
  std::string lower_hex = url_encode(secret);  // %3A and %3a are both seen
  for (std::size_t i = 0; i + 2 < lower_hex.size(); ++i) {
    if (lower_hex[i] != '%') continue;
    for (std::size_t k = 1; k <= 2; ++k)
      if (lower_hex[i + k] >= 'A' && lower_hex[i + k] <= 'F')
        lower_hex[i + k] = static_cast<char>(lower_hex[i + k] + 32);
    i += 2;
  }
  for (const auto& form : {std::string(secret), url_encode(secret), lower_hex, base64(secret)}) {
    for (const bool slashes : {false, true}) add_form(json_escape(form, slashes));
    add_form(form);
  }
}

void SecretMask::add(const SecretMask& other) {
  for (const auto& form : other.forms_) add_form(form);
}

void SecretMask::add_form(std::string form) {
  if (std::find(forms_.begin(), forms_.end(), form) != forms_.end()) return;
  const auto shorter = std::find_if(forms_.begin(), forms_.end(),
                                    [&](const std::string& other) { return other.size() < form.size(); });
  forms_.insert(shorter, std::move(form));
}

std::string SecretMask::apply(std::string text) const {
  for (const auto& form : forms_) {
    for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at + 3))
      text.replace(at, form.size(), "***");
  }
  return text;
}

std::string SecretMask::apply_to_cut(std::string text) const {
  if (forms_.empty()) return text;
  text = apply(std::move(text));
  for (auto at = text.find(kCut); at != std::string::npos; at = text.find(kCut, at + kCut.size())) {
    std::size_t before = 0;
    std::size_t behind = 0;
    for (const auto& form : forms_) {
      before = std::max(before, cut_behind(std::string_view(text).substr(0, at), form));
      behind = std::max(behind, cut_before(std::string_view(text).substr(at + kCut.size()), form));
    }
    if (behind > 0) text.replace(at + kCut.size(), behind, "***");
    if (before > 0) text.replace(at - before, before, "***");
    if (before > 0) at = at - before + 3;
  }
  return text;
}

}  // namespace sluice::fetch
