#include "fetch/name_service.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string_view>

namespace sluice::fetch::test {
namespace {

struct Names {
  std::mutex mutex;
  std::condition_variable idle;
  std::map<std::string, NameAnswer::Answer, std::less<>> answers;
  int under_way = 0;
};

Names& names() {
  static Names all;
  return all;
}

// The hidden name of the real one, so that its result is freed by the real freeaddrinfo.
using Resolve = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
Resolve system_resolve() { return reinterpret_cast<Resolve>(::dlsym(RTLD_NEXT, "getaddrinfo")); }

int literals(const std::vector<std::string>& addresses, const char* service, const addrinfo* hints,
             addrinfo** out) {
  addrinfo* first = nullptr;
  addrinfo** end = &first;
  for (const auto& address : addresses) {
    addrinfo numeric = hints ? *hints : addrinfo{};
    numeric.ai_flags |= AI_NUMERICHOST;
    if (system_resolve()(address.c_str(), service, &numeric, end) != 0) continue;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  *out = first;
  return first == nullptr ? EAI_NONAME : 0;
}

}  // namespace

NameAnswer::NameAnswer(std::string name, Answer answer) : name_(std::move(name)) {
  const std::lock_guard lock(names().mutex);
  names().answers[name_] = std::move(answer);
}

NameAnswer::~NameAnswer() {
  std::unique_lock lock(names().mutex);
  names().answers.erase(name_);
  names().idle.wait(lock, [] { return names().under_way == 0; });
}

}  // namespace sluice::fetch::test

// Found before the C library's, since the executable comes first.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using namespace sluice::fetch::test;
  NameAnswer::Answer answer;
  {
    const std::lock_guard lock(names().mutex);
    const auto known = names().answers.find(std::string_view(node == nullptr ? "" : node));
    if (known != names().answers.end()) {
      answer = known->second;
      ++names().under_way;
    }
  }
  if (!answer) return system_resolve()(node, service, hints, result);
  const int code = literals(answer(), service, hints, result);
  const std::lock_guard lock(names().mutex);
  --names().under_way;
  names().idle.notify_all();
  return code;
}
