// Any bytes as a phrase: no crash, errors inside the text; what is accepted compiles and reads back as the
// same schedule.
#include "english_cron/translation.h"
#include "fuzz/phrase_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  english_cron::fuzz::check_phrase({reinterpret_cast<const char*>(data), size});
  return 0;
}
