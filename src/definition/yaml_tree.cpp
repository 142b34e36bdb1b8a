#include "definition/yaml_tree.h"

#include "base/text.h"
#include "definition/yaml_text.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

namespace sluice::definition {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100'000;
constexpr std::size_t kMaxAliasNodes = 1'000;

// Ends the parse from inside an event; caught in parse_yaml().
struct Refused : std::runtime_error {
  Refused(Place at, const std::string& message) : std::runtime_error(message), place(std::move(at)) {}
  Place place;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Document& document)
      : document_(document), ascii_(std::all_of(document.text.begin(), document.text.end(), [](char c) {
          return static_cast<unsigned char>(c) < 0x80;
        })) {}

  const Node* root() const { return root_; }
  bool second_document() const { return documents_ > 1; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused(place(mark), "a second document begins here; one definition a file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node* node = make(mark, anchor);
    // As a key, `null` is a name like any other (csv.null).
    constexpr std::string_view kWord = "null";
    if (expects_key() && std::string_view(document_.text).substr(node->offset).starts_with(kWord)) {
      node->kind = Node::Kind::scalar;
      node->value = kWord;
    }
    add(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end() || open_.contains(found->second))
      throw Refused(place(mark), "an alias inside its own anchor");
    aliased_ += expanded_[found->second];
    if (aliased_ > kMaxAliasNodes) {
      throw Refused(place(mark),
                    fmt::format("aliases expand to more than {} values", group_digits(kMaxAliasNodes)));
    }
    alias_weight_ = expanded_[found->second];
    add(found->second);
    alias_weight_ = 0;
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node* node = make(mark, anchor);
    node->kind = Node::Kind::scalar;
    node->plain = tag == "?";
    node->value = value;
    check_tag(mark, tag);
    check_closed(*node);
    add(node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override {
    report_duplicates(*stack_.back().node);
    close();
  }

 private:
  struct Open {
    Node* node;
    const Node* key = nullptr;
    std::size_t weight = 1;
  };

  bool expects_key() const {
    return !stack_.empty() && stack_.back().node->is_map() && stack_.back().key == nullptr;
  }

  // The parser counts columns in bytes, people in characters.
  int column_of(const YAML::Mark& mark) const {
    constexpr int kLongLine = 4096;  // counting again and again along an endless line would be quadratic
    if (ascii_ || mark.column > kLongLine || mark.pos < mark.column) return mark.column + 1;
    const auto start = document_.text.data() + (mark.pos - mark.column);
    return 1 + static_cast<int>(std::count_if(start, start + mark.column, [](char c) {
             return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
           }));
  }

  Place place(const YAML::Mark& mark) const { return {document_.file, mark.line + 1, column_of(mark)}; }

  Node* make(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (document_.pool.size() >= kMaxNodes) {
      throw Refused(place(mark), fmt::format("more than {} values in one file", group_digits(kMaxNodes)));
    }
    Node* node = document_.pool.make();
    node->file = document_.file;
    node->line = mark.line + 1;
    node->column = column_of(mark);
    node->offset = static_cast<std::size_t>(std::max(mark.pos, 0));
    if (anchor != YAML::NullAnchor) {
      anchors_[anchor] = node;
      expanded_[node] = 1;
    }
    return node;
  }

  // The parser takes the end of the file for the end of a quoted text: half of a file would pass for a whole.
  void check_closed(const Node& node) const {
    const std::string& text = document_.text;
    if (node.plain || node.offset >= text.size()) return;
    const char quote = text[node.offset];
    if (quote != '"' && quote != '\'') return;
    for (std::size_t at = node.offset + 1; at < text.size(); ++at) {
      if (quote == '"' && text[at] == '\\') {
        ++at;
      } else if (text[at] == quote) {
        if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return;
        ++at;  // '' is a quote inside
      }
    }
    throw Refused(node.place(), "a quote is not closed");
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    throw Refused(place(mark), fmt::format("tags (\"{}\") are not supported", printable(tag, 60)));
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    check_tag(mark, tag);
    if (stack_.size() >= kMaxDepth)
      throw Refused(place(mark), fmt::format("nested deeper than {}", kMaxDepth));
    Node* node = make(mark, anchor);
    node->kind = kind;
    if (expects_key()) throw Refused(place(mark), "a key must be plain text, not a list or a map");
    open_.insert(node);
    stack_.push_back({node});
  }

  void close() {
    const Open done = stack_.back();
    stack_.pop_back();
    open_.erase(done.node);
    if (const auto known = expanded_.find(done.node); known != expanded_.end()) known->second = done.weight;
    add(done.node, done.weight);
  }

  void add(const Node* node, std::size_t weight = 1) {
    if (stack_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = stack_.back();
    parent.weight += alias_weight_ > 0 ? alias_weight_ : weight;
    if (!parent.node->is_map()) {
      parent.node->entries.push_back({nullptr, node});
    } else if (parent.key == nullptr) {
      if (!node->is_scalar()) throw Refused(node->place(), "a key must be plain text");
      parent.key = node;
    } else {
      parent.node->entries.push_back({parent.key, node});
      parent.key = nullptr;
    }
  }

  void report_duplicates(const Node& map) {
    std::unordered_map<std::string_view, const Node*> seen;
    for (const auto& entry : map.entries) {
      const auto [first, fresh] = seen.emplace(entry.key->value, entry.key);
      if (fresh) continue;
      document_.problems.push_back(
          {Problem::Severity::error, entry.key->place(),
           fmt::format("\"{}\" is given twice", printable(entry.key->value, 60)),
           fmt::format("the first one is in line {}; keep one of them", first->second->line)});
    }
  }

  Document& document_;
  const bool ascii_;
  const Node* root_ = nullptr;
  std::vector<Open> stack_;
  std::unordered_map<YAML::anchor_t, const Node*> anchors_;
  std::unordered_map<const Node*, std::size_t> expanded_;  // anchored nodes: how many nodes they stand for
  std::unordered_set<const Node*> open_;
  std::size_t aliased_ = 0;
  std::size_t alias_weight_ = 0;
  int documents_ = 0;
};

Problem yaml_problem(const Document& document, const YAML::Exception& error) {
  const auto at =
      place_at(document.file, document.text, static_cast<std::size_t>(std::max(error.mark.pos, 0)));
  if (const auto tab = tab_in_indentation(document.text, at.line)) {
    return {Problem::Severity::error,
            {document.file, at.line, static_cast<int>(*tab) + 1},
            "a tab in the indentation",
            "YAML is indented by spaces only"};
  }
  return {Problem::Severity::error, at, "not valid YAML: " + printable(error.msg, 200), yaml_hint(error.msg)};
}

}  // namespace

bool Node::lost(std::string_view field) const {
  return std::find(left_out.begin(), left_out.end(), field) != left_out.end();
}

const Node* Node::get(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key != nullptr && entry.key->value == key) return entry.value;
  }
  return nullptr;
}

std::shared_ptr<const Document> parse_yaml(std::string file, std::string_view text) {
  auto document = std::make_shared<Document>();
  document->file = std::move(file);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  document->text = std::string(text);
  if (auto problem = unreadable_text(document->file, text)) {
    document->problems.push_back(std::move(*problem));
    return document;
  }
  TreeBuilder builder(*document);
  try {
    std::istringstream stream(document->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    document->root = builder.root();
  } catch (const Refused& refused) {
    document->problems.push_back({Problem::Severity::error, refused.place, refused.what(), ""});
  } catch (const YAML::Exception& error) {
    document->problems.push_back(yaml_problem(*document, error));
  } catch (const std::exception& error) {
    document->problems.push_back({Problem::Severity::error,
                                  {document->file, 0, 0},
                                  fmt::format("not readable: {}", error.what()),
                                  ""});
  }
  return document;
}

Place place_within(const Document* document, const Node& scalar, std::size_t at) {
  if (document == nullptr || scalar.substituted || document->file != scalar.file) return scalar.place();
  const std::size_t start = scalar.offset + (scalar.plain ? 0 : 1);
  if (start > document->text.size() || document->text.compare(start, scalar.value.size(), scalar.value) != 0)
    return scalar.place();
  return place_at(document->file, document->text, start + std::min(at, scalar.value.size()));
}

}  // namespace sluice::definition
