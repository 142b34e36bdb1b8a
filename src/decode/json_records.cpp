#include "decode/json_records.h"

#include "base/text.h"
#include "decode/block.h"
#include "decode/json_fault.h"
#include "decode/json_gap.h"
#include "decode/utf8.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace sluice::decode {
namespace {

namespace od = simdjson::ondemand;
static_assert(kPadding >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t kMostFields = 10'000;

// What to do with the members of an object, by name.
struct Node;
struct Member {
  std::string name;
  std::vector<std::size_t> columns;
  std::unique_ptr<Node> children;
  bool unknown = false;  // in no schema: observe it
};
struct Node {
  std::vector<Member> members;
  std::unordered_map<std::string, std::size_t> by_name;
  std::vector<std::size_t> order;  // member number by position, as the last record had them

  Member& member(const std::string& name) {
    const auto [at, added] = by_name.try_emplace(name, members.size());
    if (added) members.push_back({name, {}, nullptr, false});
    return members[at->second];
  }
};

std::string_view without_space(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

}  // namespace

struct JsonRecords::State {
  explicit State(RowBuilder& rows) : builder(rows) {
    const auto& columns = rows.schema().columns;
    const bool fold = rows.options().case_insensitive_fields;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& path = columns[c].from.empty() ? columns[c].name : columns[c].from;
      const std::string key = fold ? to_lower(path) : path;
      root.member(key).columns.push_back(c);  // a name that holds the dot wins
      if (key.find('.') == std::string::npos) continue;
      Node* node = &root;
      const auto parts = split(key, '.');
      for (std::size_t i = 0; i < parts.size(); ++i) {
        auto& member = node->member(std::string(parts[i]));
        if (i + 1 == parts.size()) {
          member.columns.push_back(c);
        } else {
          if (!member.children) member.children = std::make_unique<Node>();
          node = member.children.get();
        }
      }
    }
    for (const auto& name : rows.options().ignored_fields) root.member(fold ? to_lower(name) : name);
  }

  simdjson::error_code record(od::object object, Node& node, bool top) {
    std::size_t position = 0;
    for (auto field : object) {
      od::field member;
      if (const auto error = std::move(field).get(member)) return error;
      Member* found = nullptr;
      if (position < node.order.size()) {
        auto& expected = node.members[node.order[position]];
        const char* const key = member.key().raw();
        if (std::memcmp(key, expected.name.data(), expected.name.size()) == 0 &&
            key[expected.name.size()] == '"') {
          found = &expected;
        }
      }
      if (found == nullptr) {
        if (const auto error = look_up(member, node, top, position, found)) return error;
      }
      ++position;
      if (found == nullptr) continue;
      if (const auto error = value(member.value(), *found)) return error;
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code look_up(od::field& field, Node& node, bool top, std::size_t position, Member*& found) {
    std::string_view name;
    if (const auto error = field.unescaped_key().get(name)) return error;
    std::string key(name.empty() ? kUnnamedField : name);
    auto at = node.by_name.find(key);
    if (at == node.by_name.end() && builder.options().case_insensitive_fields)
      at = node.by_name.find(to_lower(key));
    std::size_t number = 0;
    if (at == node.by_name.end()) {
      if (node.members.size() >= kMostFields) return simdjson::SUCCESS;
      node.member(key).unknown = top && !builder.options().ignore_new_fields;
      number = node.members.size() - 1;
    } else {
      number = at->second;
    }
    if (position >= node.order.size()) node.order.resize(position + 1);
    node.order[position] = number;
    found = &node.members[number];
    return simdjson::SUCCESS;
  }

  simdjson::error_code value(od::value item, Member& member) {
    if (member.columns.empty() && !member.unknown && !member.children) return simdjson::SUCCESS;
    const auto token = without_space(item.raw_json_token());
    if (token.empty()) return simdjson::TAPE_ERROR;
    switch (token.front()) {
      case '{':
      case '[':
        return nested(item, token.front() == '{', member);
      case '"':
        return string(item, token, member);
      case 'n':
        if (token != "null") return simdjson::N_ATOM_ERROR;
        for (const auto c : member.columns) batch->columns()[c].null[row] = 1;
        if (member.unknown) builder.new_field_null(member.name);
        return simdjson::SUCCESS;
      case 't':
        if (token != "true") return simdjson::T_ATOM_ERROR;
        break;
      case 'f':
        if (token != "false") return simdjson::F_ATOM_ERROR;
        break;
      default:
        if (!is_json_number(token)) return simdjson::NUMBER_ERROR;
    }
    for (const auto c : member.columns) builder.store(*batch, c, row, token, Written::literal, false);
    if (member.unknown) builder.new_field(member.name, token, Written::literal, '.');
    return simdjson::SUCCESS;
  }

  simdjson::error_code string(od::value item, std::string_view token, Member& member) {
    if (token.size() < 2 || token.back() != '"') return simdjson::STRING_ERROR;
    std::string_view text = token.substr(1, token.size() - 2);
    const bool escapes = std::memchr(text.data(), '\\', text.size()) != nullptr;
    if (escapes) {
      if (const auto error = item.get_string().get(text)) return bad_text(error, token, member);
    }
    if (member.unknown) builder.new_field(member.name, text, Written::string, '.');
    if (escapes && has_nul(text)) {
      for (const auto c : member.columns) {
        builder.reject(
            row, {RejectStage::decode, "nulByte", static_cast<int>(c), "the text holds a NUL character"});
      }
      return simdjson::SUCCESS;
    }
    for (const auto c : member.columns) {
      const bool json = builder.plans()[c].type == ValueType::json;
      builder.store(*batch, c, row, json ? token : text, Written::string, escapes && !json);
    }
    return simdjson::SUCCESS;
  }

  // A value that cannot be read costs its record, whose other fields are read all the same: the key among
  // them.
  simdjson::error_code bad_text(simdjson::error_code error, std::string_view token, Member& member) {
    auto fault = find_fault(token);
    if (!fault) return error;
    if (member.unknown) builder.new_field(member.name, Kind{});
    for (const auto c : member.columns) {
      batch->columns()[c].null[row] = 1;
      builder.reject(row, {RejectStage::decode, fault->code, static_cast<int>(c), fault->message});
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code nested(od::value item, bool is_object, Member& member) {
    std::string_view raw;
    od::object object;
    if (is_object) {
      if (const auto error = item.get_object().get(object)) return error;
      if (!member.columns.empty() || !member.children) {
        if (const auto error = object.raw_json().get(raw)) return error;
      }
    } else {
      od::array array;
      if (const auto error = item.get_array().get(array)) return error;
      if (const auto error = array.raw_json().get(raw)) return error;
    }
    if (member.unknown) builder.new_field(member.name, Kind{ValueType::json});
    if (!member.columns.empty()) {
      const auto canonical = canonical_json(raw);
      if (!canonical) {
        if (const auto error = bad_text(simdjson::TAPE_ERROR, raw, member)) return error;
      }
      for (const auto c : member.columns) {
        if (!canonical) break;
        const auto type = builder.plans()[c].type;
        if (type == ValueType::json || type == ValueType::text) {
          builder.store_bytes(*batch, c, row, *canonical, true);
        } else {
          batch->columns()[c].null[row] = 1;
          builder.misfit(c, row, *canonical, Kind{ValueType::json},
                         is_object ? "unexpectedObject" : "unexpectedArray");
        }
      }
    }
    if (!is_object || !member.children) return simdjson::SUCCESS;
    if (!raw.empty()) {
      bool reset = false;
      if (const auto error = object.reset().get(reset)) return error;
    }
    return record(object, *member.children, false);
  }

  RowBuilder& builder;
  Node root;
  od::parser parser;
  RowBatch* batch = nullptr;
  std::size_t row = 0;
};

namespace {

bool at_end(od::document& document) {
  const char* here = nullptr;
  return document.current_location().get(here) == simdjson::OUT_OF_BOUNDS;
}

// Of a record that could not be read. `document` is null when not even its tokens could be found.
JsonRecords::Failure failure(simdjson::error_code error, od::document* document, std::string_view text) {
  if (auto fault = find_fault(text))
    return {JsonRecords::Outcome::bad_record, fault->code, std::move(fault->message), 0};
  const char* here = nullptr;
  const bool placed = document != nullptr && document->current_location().get(here) == simdjson::SUCCESS &&
                      here >= text.data() && here <= text.data() + text.size();
  return {JsonRecords::Outcome::bad_json,
          {},
          simdjson::error_message(error),
          placed ? static_cast<std::size_t>(here - text.data()) : 0};
}

}  // namespace

JsonRecords::JsonRecords(RowBuilder& builder) : state_(std::make_unique<State>(builder)) {}
JsonRecords::~JsonRecords() = default;

JsonRecords::Failure JsonRecords::read_array(std::string_view text, RowBatch& batch) {
  // Why it failed is told by reading one record after the other.
  const auto failed = [] { return Failure{Outcome::bad_json, {}, {}, 0}; };
  state_->batch = &batch;
  state_->row = 0;
  od::document document;
  const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kPadding);
  if (state_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return failed();
  od::array array;
  if (document.get_array().get(array) != simdjson::SUCCESS) return failed();
  for (auto element : array) {
    od::value value;
    if (std::move(element).get(value) != simdjson::SUCCESS) return failed();
    const auto token = value.raw_json_token();
    if (token.empty() || token.front() != '{') return {Outcome::not_an_object, {}, {}, 0};
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return failed();
    if (state_->record(object, state_->root, true) != simdjson::SUCCESS) return failed();
    ++state_->row;
  }
  return at_end(document) ? Failure{} : failed();
}

JsonRecords::Failure JsonRecords::read_one(std::string_view text, std::size_t row, RowBatch& batch) {
  state_->batch = &batch;
  state_->row = row;
  od::document document;
  const simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kPadding);
  if (const auto error = state_->parser.iterate(padded).get(document)) return failure(error, nullptr, text);
  od::json_type type{};
  if (const auto error = document.type().get(type)) return failure(error, &document, text);
  if (type != od::json_type::object) return {Outcome::not_an_object, {}, {}, 0};
  od::object object;
  if (const auto error = document.get_object().get(object)) return failure(error, &document, text);
  if (const auto error = state_->record(object, state_->root, true)) return failure(error, &document, text);
  if (at_end(document)) return {};
  return {Outcome::bad_json, {}, "there is more behind the record", text.size()};
}

}  // namespace sluice::decode
