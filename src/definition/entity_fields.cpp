// The keys of an entity, as Nox V6 has them.
#include "definition/field.h"

namespace sluice::definition {
namespace {

constexpr Choice kRelations[] = {{"ExactlyOne", "adds the column {Entity}Id"},
                                 {"ZeroOrOne", "adds the column {Entity}Id"},
                                 {"ZeroOrMany", "no column"},
                                 {"OneOrMany", "no column"}};

constexpr Choice kTypes[] = {
    {"string", "text"},        {"varchar", "text"},    {"nvarchar", "text"},      {"char", "text"},
    {"url", "text"},           {"email", "text"},      {"guid", "text"},          {"time", "text"},
    {"timespan", "text"},      {"date", "date"},       {"datetime", "timestamp"}, {"bool", "bool"},
    {"boolean", "bool"},       {"object", "json"},     {"int", "int64"},          {"uint", "int64"},
    {"tinyint", "int64"},      {"smallint", "int64"},  {"bigint", "int64"},       {"money", "decimal"},
    {"smallmoney", "decimal"}, {"decimal", "decimal"}, {"real", "double"},        {"float", "double"},
    {"bigreal", "double"},     {"bigfloat", "double"}};

constexpr Field kKeyFields[] = {
    {"name", Type::text, "column", "", "Id"},
    Field{"type", Type::choice, "type", "string", "int"}.one_of(kTypes),
    {"description", Type::text, "for people"},
    Field{"isAutoNumber", Type::boolean, "numbered by the database; not for loaded tables", "false"}.inert(),
    Field{"isUnicode", Type::boolean, "no difference here", "true"}.inert(),
    {"minWidth", Type::integer, "shortest text", "0", "3"},
    Field{"maxWidth", Type::integer, "longest text; digits of a decimal", "512", "3"}
        .at_least(std::numeric_limits<int>::min())
        .at_most(std::numeric_limits<int>::max()),
    Field{"precision", Type::integer, "decimal places", "2", "2"}.at_most(1000),
    {"entities", Type::texts, "entities whose keys form this one", "[]", "[Country, Currency]"},
};
constexpr Concept kKey{"a key", kKeyFields, [](std::string_view) { return std::string_view("name"); },
                       "the name"};

constexpr Field kAttributeFields[] = {
    Field{"name", Type::text, "column", "", "Name"}.must(),
    Field{"type", Type::choice, "type", "string", "string"}.one_of(kTypes),
    {"description", Type::text, "for people"},
    {"isRequired", Type::boolean, "a record without it is rejected", "false", "true"},
    {"isPrimaryKey", Type::boolean, "part of the key", "false", "true"},
    Field{"maxWidth", Type::integer, "longest text; digits of a decimal", "512", "128"}
        .at_least(std::numeric_limits<int>::min())
        .at_most(std::numeric_limits<int>::max()),
    {"minWidth", Type::integer, "shortest text", "0", "3"},
    Field{"precision", Type::integer, "decimal places", "2", "2"}.at_most(1000),
    {"formula", Type::text, "computed by the application: not loaded", "", "\"a + b\""},
    Field{"isAutoNumber", Type::boolean, "numbered by the database", "false"}.inert(),
    Field{"isForeignKey", Type::boolean, "no difference here", "false"}.inert(),
    Field{"isUnicode", Type::boolean, "no difference here", "true"}.inert(),
    Field{"isTemporalOnly", Type::boolean, "no difference here", "false"}.inert(),
    Field{"canFilter", Type::boolean, "for the API", "false"}.inert(),
    Field{"canSort", Type::boolean, "for the API", "false"}.inert(),
    Field{"minValue", Type::any, "for the API"}.inert(),
    Field{"maxValue", Type::any, "for the API"}.inert(),
    Field{"default", Type::any, "for the API"}.inert(),
};
constexpr Concept kAttribute{"an attribute", kAttributeFields};

constexpr Field kRelationshipFields[] = {
    Field{"name", Type::text, "for people", "", "Country"}.must(),
    Field{"entity", Type::text, "the other entity", "", "Country"}.must(),
    {"description", Type::text, "for people"},
    Field{"relationship", Type::choice, "how many", "", "ExactlyOne"}.must().one_of(kRelations),
    Field{"allowNavigation", Type::boolean, "for the API", "true"}.inert(),
};
constexpr Concept kRelationship{"a relationship", kRelationshipFields};

constexpr Field kEntityFields[] = {
    Field{"name", Type::text, "what loaders call it", "", "Country"}.must(),
    {"description", Type::text, "for people", "", "A country"},
    {"table", Type::text, "table name, word for word", "the entity's name", "Country"},
    {"schema", Type::text, "schema (PostgreSQL)", "", "public"},
    Field{"key", Type::map, "what identifies a row", "", "{name: Id, type: int}"}.of(kKey),
    Field{"attributes", Type::maps, "columns", "", "[{name: Name, type: string, maxWidth: 128}]"}.must().of(
        kAttribute),
    Field{"relationships", Type::maps, "links to other entities"}.of(kRelationship),
    Field{"ownedRelationships", Type::maps, "links to entities that belong to it"}.of(kRelationship),
    Field{"pluralName", Type::any, "for the API"}.inert(),
    Field{"sortOrder", Type::any, "for the API"}.inert(),
    Field{"isAggregateRoot", Type::any, "for the API"}.inert(),
    Field{"messaging", Type::any, "for the API"}.inert(),
    Field{"raiseCrudEvents", Type::any, "for the API"}.inert(),
    Field{"queries", Type::any, "for the API"}.inert(),
    Field{"commands", Type::any, "for the API"}.inert(),
    Field{"events", Type::any, "for the API"}.inert(),
};
constexpr Concept kEntity{"an entity", kEntityFields};

}  // namespace

const Concept& entity_concept() { return kEntity; }

}  // namespace sluice::definition
