# sluice_link_included(TARGET SOURCE): links the folder libraries that the source names in its #include lines.
# Keeps a benchmark or fuzz target a single file that needs no CMake edit.
function(sluice_link_included target source)
  file(STRINGS ${source} includes REGEX "^#include [\"<][a-z_]+/")
  foreach(line IN LISTS includes)
    string(REGEX REPLACE "^#include [\"<]([a-z_]+)/.*" "\\1" folder "${line}")
    if(TARGET sluice_${folder})
      target_link_libraries(${target} PRIVATE sluice_${folder})
    elseif(folder STREQUAL "english_cron" AND TARGET english_cron::english_cron)
      target_link_libraries(${target} PRIVATE english_cron::english_cron)
    endif()
  endforeach()
endfunction()
