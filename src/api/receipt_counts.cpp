#include "api/receipt_counts.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace sluice::api {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<std::string_view, std::int64_t ReceiptCounts::*>, 8> kFields = {{
    {"read", &ReceiptCounts::read},
    {"inserted", &ReceiptCounts::inserted},
    {"updated", &ReceiptCounts::updated},
    {"deleted", &ReceiptCounts::deleted},
    {"restored", &ReceiptCounts::restored},
    {"unchanged", &ReceiptCounts::unchanged},
    {"rejected", &ReceiptCounts::rejected},
    {"notModified", &ReceiptCounts::not_modified},
}};

// Returning false ends the parse: all that is wanted was found.
class Reader final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return next(); }
  bool boolean(bool) override { return next(); }
  bool number_integer(std::int64_t value) override { return number(value); }
  bool number_unsigned(std::uint64_t value) override { return number(static_cast<std::int64_t>(value)); }
  bool number_float(double, const std::string&) override { return next(); }
  bool string(std::string&) override { return next(); }
  bool binary(Json::binary_t&) override { return next(); }
  bool start_object(std::size_t) override { return ++depth_, next(); }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override { return ++depth_, next(); }
  bool end_array() override { return --depth_, true; }
  bool key(std::string& name) override {
    const auto known =
        std::ranges::find(kFields, std::string_view(name), &decltype(kFields)::value_type::first);
    wanted_ = depth_ == 1 && known != kFields.end() ? known->second : nullptr;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
  const ReceiptCounts& counts() const { return counts_; }

 private:
  bool next() {
    wanted_ = nullptr;
    return true;
  }
  bool number(std::int64_t value) {
    if (wanted_ == nullptr) return true;
    counts_.*std::exchange(wanted_, nullptr) = value;
    return ++found_ < kFields.size();
  }

  ReceiptCounts counts_;
  std::int64_t ReceiptCounts::* wanted_ = nullptr;
  std::size_t found_ = 0;
  int depth_ = 0;
};

}  // namespace

ReceiptCounts receipt_counts(std::string_view receipt) {
  Reader reader;
  if (!receipt.empty()) Json::sax_parse(receipt, &reader);
  return reader.counts();
}

}  // namespace sluice::api
