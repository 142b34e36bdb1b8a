#include "fetch/fetch.h"

#include "fetch/file_source.h"
#include "fetch/http_source.h"

namespace sluice::fetch {

Result<Fetched> fetch(const SourceSpec& source, const std::vector<Validators>& previous, Context& context,
                      std::stop_token stop) {
  switch (source.kind) {
    case SourceSpec::Kind::file:
      return fetch_files(source, previous, context, std::move(stop));
    case SourceSpec::Kind::http:
      return fetch_http(source, previous, context, std::move(stop));
  }
  return fail(ErrorCode::internal, "a source of unknown kind");
}

}  // namespace sluice::fetch
