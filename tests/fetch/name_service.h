// Answers for host names that the tests make up: they replace getaddrinfo, so that libcurl resolves through
// them. Names that no answer is set for go to the system.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sluice::fetch::test {

// While it lives, `name` resolves to what `answer` returns: IP literals, none = no such host. The answer is
// given on libcurl's resolver thread, and may take its time. Destroying it waits for an answer under way.
class NameAnswer {
 public:
  using Answer = std::function<std::vector<std::string>()>;
  NameAnswer(std::string name, Answer answer);
  ~NameAnswer();
  NameAnswer(const NameAnswer&) = delete;
  NameAnswer& operator=(const NameAnswer&) = delete;

 private:
  std::string name_;
};

}  // namespace sluice::fetch::test
