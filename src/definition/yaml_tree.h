// A YAML file as a small tree with places. Read by yaml-cpp's event parser; YAML 1.2 core rules on top:
// scalars stay text until a field says what they are, duplicate keys, tabs, tags and alias bombs are errors.
#pragma once

#include "definition/problem.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct Node {
  enum class Kind { null, scalar, list, map };
  struct Entry {
    const Node* key = nullptr;  // null in lists
    const Node* value = nullptr;
  };
  Kind kind = Kind::null;
  bool plain = false;                  // scalar without quotes
  bool substituted = false;            // the value came, at least in part, from ${…}
  int line = 0;                        // from 1
  int column = 0;                      // from 1, in characters
  std::size_t offset = 0;              // byte in the text
  std::string_view file;               // path of the file it stands in; owned by its Document
  std::string value;                   // scalar
  std::vector<std::string> filled_in;  // what ${…} brought from the environment or a file, part by part
  std::vector<Entry> entries;
  // Of a normalised map: fields that were given, or likely meant, but said wrongly. An error stands for each;
  // that they are missing is no second one.
  std::vector<std::string_view> left_out;

  bool lost(std::string_view field) const;
  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_null() const { return kind == Kind::null; }
  const Node* get(std::string_view key) const;  // value of a map's key, or null pointer
  Place place() const { return {std::string(file), line, column}; }
};

// Nodes live as long as the object that made them; pointers stay valid.
class NodePool {
 public:
  Node* make() { return &nodes_.emplace_back(); }
  Node* copy(const Node& node) { return &nodes_.emplace_back(node); }
  std::size_t size() const { return nodes_.size(); }

 private:
  std::deque<Node> nodes_;
};

struct Document {
  std::string file;
  std::string text;            // without a byte order mark
  const Node* root = nullptr;  // null when the text is not YAML at all
  NodePool pool;
  std::vector<Problem> problems;
};

// Never fails: what is wrong is in Document::problems.
std::shared_ptr<const Document> parse_yaml(std::string file, std::string_view text);

// The place of byte `at` of a one-line scalar's value, when the text holds the value as written; else the
// place of the scalar.
Place place_within(const Document* document, const Node& scalar, std::size_t at);

}  // namespace sluice::definition
