// One table per concept says everything about its keys. The parser, "did you mean", the JSON Schema and the
// reference page all read these tables; a key exists nowhere else.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace sluice::definition {

enum class Stage : std::uint8_t {
  now,
  later,  // designed, not built: refused with "not available yet", never ignored
  inert,  // a word of the Nox dialect that says nothing about loading: read and left alone
};

enum class Type : std::uint8_t {
  text,
  secret,  // text that is never shown
  phrase,
  column_type,  // ValueType or decimal(p,s)
  boolean,
  integer,
  duration,
  size,
  limit,      // share or count, or "off"
  character,  // one character, or "auto"
  choice,
  texts,  // text or a list of text
  integers,
  any,          // not looked into
  map,          // of `child`
  maps,         // list of `child`; a single map is a list of one
  named_maps,   // name -> `child`
  named_texts,  // name -> text
};

struct Choice {
  std::string_view value;
  std::string_view help;
  Stage stage = Stage::now;
  std::string_view begins = {};  // with more after it that the user fills in: "move to " of "move to DIR"
};

struct Concept;

// A row of a table. The functions are for writing the tables: each gives back the row with one thing changed.
struct Field {
  std::string_view key;
  Type type = Type::text;
  std::string_view help;
  std::string_view default_text = {};  // as shown to people
  std::string_view example = {};       // YAML, flow style
  std::string_view aliases = {};       // "a b": other spellings, Nox's among them
  Stage stage = Stage::now;
  bool required = false;
  bool seconds = false;        // duration: a bare integer counts seconds (Nox)
  bool takes_boolean = false;  // choice: true and false stand for choices
  bool nox_warns = false;      // later: in a Nox file a warning, not an error
  bool in_defaults = true;     // may stand under the service's `defaults`
  std::span<const Choice> choices = {};
  const Concept* child = nullptr;
  std::int64_t least = 0;  // integer
  std::int64_t most = std::numeric_limits<std::int64_t>::max();

  constexpr Field must() const {
    Field copy = *this;
    copy.required = true;
    return copy;
  }
  constexpr Field later() const {
    Field copy = *this;
    copy.stage = Stage::later;
    return copy;
  }
  constexpr Field inert() const {
    Field copy = *this;
    copy.stage = Stage::inert;
    return copy;
  }
  constexpr Field counting_seconds() const {
    Field copy = *this;
    copy.seconds = true;
    return copy;
  }
  constexpr Field or_boolean() const {
    Field copy = *this;
    copy.takes_boolean = true;
    return copy;
  }
  constexpr Field warning_in_nox() const {
    Field copy = *this;
    copy.nox_warns = true;
    return copy;
  }
  constexpr Field not_in_defaults() const {
    Field copy = *this;
    copy.in_defaults = false;
    return copy;
  }
  constexpr Field one_of(std::span<const Choice> values) const {
    Field copy = *this;
    copy.choices = values;
    return copy;
  }
  constexpr Field of(const Concept& table) const {
    Field copy = *this;
    copy.child = &table;
    return copy;
  }
  constexpr Field at_least(std::int64_t value) const {
    Field copy = *this;
    copy.least = value;
    return copy;
  }
  constexpr Field at_most(std::int64_t value) const {
    Field copy = *this;
    copy.most = value;
    return copy;
  }
  constexpr Field alias(std::string_view names) const {
    Field copy = *this;
    copy.aliases = names;
    return copy;
  }
  constexpr Field such_as(std::string_view yaml) const {
    Field copy = *this;
    copy.example = yaml;
    return copy;
  }
};

// What a scalar or a list stands for where the map is meant: the key it would have.
using Shorthand = std::string_view (*)(std::string_view scalar);

struct Concept {
  std::string_view name;  // for messages: "a loader"
  std::span<const Field> fields;
  Shorthand shorthand = nullptr;
  std::string_view shorthand_help = {};
};

const Field* find_field(const Concept& concept_table, std::string_view key);  // by key or alias

const Concept& loader_concept();
const Concept& schedule_concept();
const Concept& after_concept();
const Concept& task_concept();
const Concept& source_concept();
const Concept& auth_concept();
const Concept& http_retry_concept();
const Concept& timeouts_concept();
const Concept& data_source_concept();
const Concept& service_concept();
const Concept& entity_concept();

}  // namespace sluice::definition
