#include "fetch/secret_mask.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::fetch {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
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
  for (auto form : {std::string(secret), url_encode(secret), std::move(lower_hex), base64(secret)}) {
    if (std::find(forms_.begin(), forms_.end(), form) == forms_.end()) forms_.push_back(std::move(form));
  }
  std::stable_sort(forms_.begin(), forms_.end(),
                   [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string SecretMask::apply(std::string text) const {
  for (const auto& form : forms_) {
    for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at + 3))
      text.replace(at, form.size(), "***");
  }
  return text;
}

}  // namespace sluice::fetch
